"""Log lines become findings: new, growing and returning messages, in logs that are old enough to tell."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.signals.loglines import ParsedLine
from bot.diagnosis.signals.logs import LogRead, findings_of
from bot.domain.diagnoses.finding import Finding, FindingKind

END = 300.0


def lines(message: str, *times: float, level: str = "INFO", version: str = "1.0") -> list[ParsedLine]:
    return [
        ParsedLine(at_s=t, level=level, message=message, version=version, error="", detail="") for t in times
    ]


def look(*groups: list[ParsedLine], start_s: float = 0.0) -> tuple[Finding, ...]:
    everything = sorted((line for each in groups for line in each), key=lambda line: line.at_s)
    return findings_of(
        LogRead(service="shop", lines=everything, start_s=start_s, end_s=END), names=["shop", "pay"]
    )


def every(seconds: float, since: float = 0.0, until: float = END) -> list[float]:
    return [since + n * seconds for n in range(int((until - since) / seconds))]


ORDINARY = lines("order 1 placed", *every(1))


def test_a_message_that_comes_back_is_growing_again_and_not_new():
    found = look(ORDINARY, lines("boom", *every(0.2, 150, 190), *every(0.2, 290), level="ERROR"))
    assert [f.kind for f in found] == [FindingKind.LOG_ERRORS, FindingKind.LOG_TEMPLATE_GROWING]
    assert "again since" in found[1].summary
    assert found[1].began_at is not None
    assert found[1].began_at.timestamp() == 290


def test_a_message_that_grows_says_by_how_much():
    found = look(ORDINARY, lines("deprecated header", *every(10, 0, 200), *every(0.1, 200), level="WARN"))
    assert found[0].kind is FindingKind.LOG_TEMPLATE_GROWING
    assert "times as often since" in found[0].summary


def test_in_a_log_that_has_only_begun_ordinary_lines_are_not_news():
    assert look(lines("started", 0, 1), lines("order 1 placed", *every(0.1, 280))) == ()


def test_in_a_log_that_has_only_begun_errors_are_news():
    found = look(lines("started", 0, 1), lines("boom", *every(0.5, 280), level="ERROR"))
    assert {f.kind for f in found} == {FindingKind.LOG_ERRORS, FindingKind.LOG_TEMPLATE_NEW}


def test_what_failures_speak_of_is_told():
    found = look(
        ORDINARY, lines("no database connection became free: 8 of 8 in use", *every(0.5, 280), level="ERROR")
    )
    assert found[0].data["hints"] == ["database"]


def test_a_service_that_names_itself_mentions_nobody():
    found = look(ORDINARY, lines("shop failed, repayment not", *every(0.5, 280), level="ERROR"))
    assert found[0].data["mentions"] == {}


def test_errors_come_before_harmless_lines_and_the_list_is_short():
    storms = [lines(f"kind {'x' * n} of harmless line", *every(0.2, 280), level="WARN") for n in range(1, 12)]
    found = look(ORDINARY, *storms, lines("boom", *every(1, 285), level="ERROR"))
    assert [f.data["level"] for f in found[:2]] == ["ERROR", "ERROR"]
    assert len(found) <= 7


def test_a_storm_that_lasts_is_told_before_errors_that_have_ended():
    ended = [lines(f"kind {'x' * n} of error", *every(0.5, 150, 170), level="ERROR") for n in range(1, 9)]
    found = look(ORDINARY, *ended, lines("deprecated header", *every(0.1, 280), level="WARN"))
    templates = [f for f in found if f.kind is not FindingKind.LOG_ERRORS]
    assert templates[0].data["level"] == "WARN"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, END),
            st.sampled_from(["INFO", "ERROR"]),
            st.sampled_from(["boom", "order 7", "pay 502"]),
        ),
        max_size=120,
    )
)
def test_any_log_gives_findings_with_unique_ids_and_sane_figures(drawn):
    found = look(*[lines(message, at, level=level) for at, level, message in drawn])
    assert len({f.id for f in found}) == len(found)
    assert all(f.evidence[0].text for f in found)


RECEIVED = lines("order received", *every(1))


def missing(found: tuple[Finding, ...]) -> list[str]:
    return [str(f.data["template"]) for f in found if f.kind is FindingKind.LOG_TEMPLATE_VANISHED]


def test_an_ordinary_line_that_is_missing_beside_those_of_the_same_requests_is_told():
    found = look(RECEIVED, lines("payment booked", *every(1, 0, 200)))
    assert missing(found) == ["payment booked"]
    gone = next(f for f in found if f.kind is FindingKind.LOG_TEMPLATE_VANISHED)
    assert gone.began_at is not None
    assert abs(gone.began_at.timestamp() - 200) <= 10
    assert "payment booked” 0 times" in gone.summary


def test_a_missing_line_goes_by_the_onset_of_the_errors_beside_it():
    errors = lines("boom", *every(1, 240), level="ERROR")
    found = look(RECEIVED, lines("payment booked", *every(1, 0, 240)), errors)
    assert missing(found) == ["payment booked"]


def test_fewer_requests_are_no_missing_lines():
    thinner = [*every(1, 0, 200), *every(8, 200)]
    assert missing(look(lines("order received", *thinner), lines("payment booked", *thinner))) == []
    assert (
        missing(look(lines("order received", *every(1, 0, 200)), lines("payment booked", *every(1, 0, 200))))
        == []
    )


def test_a_line_that_is_said_seldom_is_not_missed():
    assert missing(look(RECEIVED, lines("cache refreshed", *every(60, 0, 200)))) == []


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_chance_alone_leaves_no_line_missing(seed):
    rng = np.random.default_rng(seed)
    groups = [
        lines(f"step {name} done", *np.sort(rng.uniform(0, END, 150))) for name in ("alpha", "beta", "gamma")
    ]
    assert missing(look(*groups)) == []


def missed(*lines_of: list[ParsedLine], onset_s: float) -> list[str]:
    """What is missing since a failure began."""
    failing = lines("boom", *every(1, onset_s), level="ERROR")
    return missing(look(*lines_of, failing))


@settings(max_examples=30, deadline=None)
@given(
    starts=st.lists(st.floats(0, 150), min_size=1, max_size=4),
    processes=st.integers(1, 16),
    onset_s=st.floats(200, 260),
)
def test_lines_of_a_process_start_are_not_expected_in_steady_state(starts, processes, onset_s):
    began = [start + n / 10 for start in starts for n in range(processes)]
    assert missed(RECEIVED, lines("shop is listening", *sorted(began)), onset_s=onset_s) == []


def test_a_line_of_which_only_the_first_seconds_are_known_is_not_expected():
    started = lines("shop is listening", 1.0, 1.5, 11.0, 12.0)
    assert missed(RECEIVED, started, onset_s=20.0) == []


def test_a_job_that_runs_now_and_then_is_not_missing_between_its_runs():
    report = lines("row exported", *(start + n / 5 for start in (30.0, 120.0) for n in range(40)))
    assert missed(RECEIVED, report, onset_s=200.0) == []


def test_a_steady_line_is_missing_though_requests_come_in_bursts():
    bursts = [start + n / 2 for start in every(20) for n in range(10)]
    booked = [at for at in bursts if at < 200]
    found = missed(lines("order received", *bursts), lines("payment booked", *booked), onset_s=200.0)
    assert found == ["payment booked"]
