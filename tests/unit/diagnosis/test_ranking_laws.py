"""What holds for every ranking, whatever was found."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.diagnoses.diagnosis import Diagnosis, SourceStatus
from bot.domain.diagnoses.finding import Finding, FindingKind
from tests.unit.diagnosis.stories import (
    NOW,
    SHOP,
    SOURCES,
    at,
    finding,
    rank,
    results,
)

_SOURCE_OF = {
    "log_": "logs",
    "change_": "changes",
    "db_": "database",
    "dependency_down": "dependencies",
    "alert": "alerts",
}


COMMITS = (
    {"sha": "c0ffee1", "files": ["a/bank.yaml"], "diff": "-bank_timeout_ms: 300\n+bank_timeout_ms: 5\n"},
    {"sha": "d0c5d0c", "files": ["docs/bank.md"], "diff": "+words\n"},
    {"sha": "10ca110", "files": ["a/stock.go"], "diff": "-mutex.Lock()\n"},
)


def _source(kind: FindingKind) -> str:
    return next((source for start, source in _SOURCE_OF.items() if kind.value.startswith(start)), "metrics")


@st.composite
def any_finding(draw: st.DrawFn) -> Finding:
    kind = draw(st.sampled_from(list(FindingKind)))
    service = draw(st.sampled_from(SHOP.names))
    component = draw(st.sampled_from(["", "1.1", "alpha", *SHOP.names]))
    data = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "level": st.sampled_from(["ERROR", "WARN"]),
                "mentions": st.dictionaries(st.sampled_from(SHOP.names), st.floats(0, 1)),
                "hints": st.lists(st.sampled_from(["database", "memory", "overload"])),
                "samples": st.just(["bank did not answer within 5 ms"]),
                "versions": st.just({"1.1": {"these": 9, "all": 20, "all_before": 0}, "1.0": None}),
                "value": st.one_of(st.none(), st.floats(0, 1)),
                "exceptions": st.just(["KeyError"]),
                "after": st.sampled_from([5, "5", None]),
                "state": st.sampled_from(["refused", "timeout"]),
                "change_kind": st.sampled_from(["deploy", "rollback"]),
                "commits": st.lists(st.sampled_from(COMMITS), max_size=3),
                "commits_complete": st.booleans(),
            },
        )
    )
    value = data.pop("value", None)
    return finding(
        _source(kind),
        kind,
        service,
        component,
        strength=draw(st.floats(0, 1)),
        began_at=draw(st.one_of(st.none(), st.floats(-100, 3000).map(at))),
        value=value,
        **data,
    )


stories = st.lists(any_finding(), max_size=12)


def best(diagnosis: Diagnosis) -> float:
    return diagnosis.causes[0].confidence if diagnosis.causes else 0.0


MOST_CAUSES = 5
"""A diagnosis shows no more."""


@settings(max_examples=150, deadline=None)
@given(found=stories, mixer=st.randoms(use_true_random=False))
def test_the_order_of_findings_and_sources_does_not_matter(found, mixer):
    expected = rank(found)
    read = results(found)
    shuffled = {}
    for name in sorted(read, key=lambda _: mixer.random()):
        items = list(read[name].items)
        mixer.shuffle(items)
        shuffled[name] = read[name].model_copy(update={"items": tuple(items)})
    actual = rank_causes(service="web", catalogue=SHOP, results=shuffled, now=NOW, since_s=1800)
    assert actual == expected


@settings(max_examples=150, deadline=None)
@given(found=stories, status=st.sampled_from([s for s in SourceStatus if s is not SourceStatus.OK]))
def test_one_more_source_that_could_not_be_read_never_raises_a_confidence(found, status):
    shown = rank(found).causes
    before = {(c.kind, c.service, c.component): c.confidence for c in shown}
    cut = (
        shown[-1].confidence if len(shown) == MOST_CAUSES else 0.0
    )  # what is not shown was at most that sure
    for cause in rank(found, traces=status).causes:
        assert cause.confidence <= before.get((cause.kind, cause.service, cause.component), cut)


@settings(max_examples=150, deadline=None)
@given(found=stories, source=st.sampled_from(SOURCES))
def test_a_silent_source_that_turns_out_unread_makes_nothing_more_certain_but_what_it_would_have_denied(
    found, source
):
    silent = [f for f in found if f.source != source]
    read, unread = rank(silent), rank(silent, **{source: SourceStatus.TIMED_OUT})
    if source != "dependencies":  # a health check that was not made can no longer deny that a service is down
        assert best(unread) <= best(read)
    assert not (read.verdict == "unclear" and unread.verdict == "no_fault_found")


@settings(max_examples=200, deadline=None)
@given(found=stories)
def test_every_evidence_resolves_and_every_figure_is_in_range(found):
    diagnosis = rank(found)
    known = {f.id: f for f in diagnosis.findings}
    for cause in diagnosis.causes:
        assert 0 < cause.confidence <= 0.97
        assert cause.evidence
        assert set(cause.evidence) <= set(known)
        assert cause.service in SHOP.names
        assert cause.summary.endswith((".", "”"))
    assert [c.confidence for c in diagnosis.causes] == sorted(
        (c.confidence for c in diagnosis.causes), reverse=True
    )
    assert diagnosis.summary
    assert Diagnosis.model_validate_json(diagnosis.model_dump_json()) == diagnosis


@settings(max_examples=100, deadline=None)
@given(found=stories)
def test_changes_alone_are_never_a_fault(found):
    changes = [f for f in found if f.source == "changes"]
    assert rank(changes).verdict == "no_fault_found"


@settings(max_examples=150, deadline=None)
@given(found=stories, services=st.sets(st.sampled_from(SHOP.names)))
@example(  # a suspicion that is just too weak to be named
    found=[
        finding("metrics", FindingKind.ERROR_RATE_UP, "orders", strength=0.0, began_at=None),
        finding("metrics", FindingKind.CPU_HIGH, "web", strength=0.4375, began_at=None),
    ],
    services={"web"},
)
def test_alerts_neither_make_a_fault_nor_take_one_away_and_add_at_most_a_tenth(found, services):
    alerts = [
        finding("alerts", FindingKind.ALERT, name, "CpuHigh", strength=1.0) for name in sorted(services)
    ]
    without, told = rank(found), rank([*found, *alerts])
    assert (told.verdict == "no_fault_found") is (without.verdict == "no_fault_found")
    before = {(c.kind, c.service, c.component): c.confidence for c in without.causes}
    cut = min(before.values(), default=0.0) if len(before) == MOST_CAUSES else 0.2
    for cause in told.causes:
        assert cause.confidence <= before.get((cause.kind, cause.service, cause.component), cut) + 0.1 + 1e-9
