"""The chart of a diagnosis shows the strongest series, its ordinary level, the onset and the changes."""

from __future__ import annotations

from datetime import timedelta

from bot.diagnosis.decisive_chart import chart_of, decisive
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from tests.support.worlds import START

POINTS = [(START.timestamp() + second, None if second == 2 else second / 10) for second in range(6)]

SERIES = {"checkout": POINTS}


def finding(strength, *, source="metrics", kind=FindingKind.ERROR_RATE_UP, query="q", at=0, component=""):
    evidence = Evidence(text="t", query=query, baseline=0.01, unit="ratio")
    return Finding(
        id=f"{source}:{strength}",
        source=source,
        kind=kind,
        service="checkout",
        component=component,
        summary="checkout fails half of its requests.",
        began_at=START + timedelta(seconds=at),
        strength=strength,
        evidence=(evidence,),
    )


def change(at, component):
    return finding(1, source="changes", kind=FindingKind.CHANGE_DEPLOY, query="", at=at, component=component)


def test_the_strongest_metric_that_can_be_asked_again_decides():
    found = decisive([finding(0.4), finding(0.9), finding(0.95, query=""), finding(1, source="logs")])
    assert found is not None
    assert found[0].strength == 0.9
    assert decisive([finding(1, source="logs")]) is None


def test_a_ratio_is_drawn_in_percent_with_gaps_and_the_ordinary_level():
    chart = chart_of(finding(0.9), finding(0.9).evidence[0], SERIES, onset=None, changes=[])
    (panel,) = chart.panels
    assert (chart.title, panel.unit) == ("checkout: share of failed requests (%)", "%")
    assert [value for _, value in panel.lines[0].points] == [0, 10, None, 30, 40, 50]
    assert panel.bands[0].points == ((POINTS[0][0], 1, 1), (POINTS[-1][0], 1, 1))
    assert panel.marks == ()


def test_every_version_is_drawn_and_the_suspect_stands_out():
    suspect = finding(0.9, component="1.4.2")
    series = {"1.4.1": POINTS, "1.4.2": POINTS}
    chart = chart_of(suspect, suspect.evidence[0], series, onset=None, changes=[])
    lines = [(line.name, line.tone) for line in chart.panels[0].lines]
    assert lines == [("checkout 1.4.1", "first"), ("checkout 1.4.2", "second")]


def test_the_usual_band_is_that_of_the_values_before_the_onset():
    points = [
        (START.timestamp() + second, 0.9 if second > 90 else second % 10 / 100) for second in range(120)
    ]
    onset = START + timedelta(seconds=100)
    chart = chart_of(finding(0.9), finding(0.9).evidence[0], {"checkout": points}, onset=onset, changes=[])
    (band,) = chart.panels[0].bands
    assert [(low, high) for _, low, high in band.points] == [(0, 9), (0, 9)]


def test_the_onset_and_the_changes_within_the_picture_are_marked_in_order():
    changes = [change(3, "1.4.2"), change(1, "1.4.1"), change(-600, "1.4.0"), finding(1, at=2)]
    onset = START + timedelta(seconds=4)
    chart = chart_of(finding(0.9), finding(0.9).evidence[0], SERIES, onset=onset, changes=changes)
    assert [mark.text for mark in chart.panels[0].marks] == [
        "checkout 1.4.1",
        "checkout 1.4.2",
        "problem started",
    ]
    assert "The problem started at" in chart.alt
