"""Spans: what is a span's own, and which operations fail or take longer by themselves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.signals.spans import OwnTime, findings_of, own_parts
from bot.diagnosis.signals.trace_span import CallSpan
from bot.domain.diagnoses.finding import Finding, FindingKind

NAMES = ("shop", "pay")


def span(
    key: str, parent: str = "", *, at: float = 0, took: float = 1, trace: str = "t", **more: object
) -> CallSpan:
    return CallSpan(
        trace=trace, id=key, parent=parent, service="shop", name=key, start_s=at, took_s=took, **more
    )


def own(*spans: CallSpan) -> dict[str, OwnTime]:
    return {part.span.id: part for part in own_parts(spans)}


def test_self_time_is_what_no_child_accounts_for():
    parts = own(
        span("root", took=10),
        span("a", "root", at=1, took=3),
        span("beside a", "root", at=2, took=4),
        span("outlives", "root", at=9, took=5),
    )
    assert parts["root"].self_s == 10 - 5 - 1
    assert parts["outlives"].self_s == 5


def test_a_failure_belongs_to_where_it_began():
    parts = own(span("root", failed=True), span("call", "root", failed=True), span("other", "root"))
    assert [key for key, part in parts.items() if part.failed] == ["call"]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(-5, 5), st.floats(0, 5), st.booleans()),
        max_size=12,
    )
)
def test_self_time_lies_between_nothing_and_the_whole_whatever_the_tree(drawn):
    spans = [
        span(str(key), str(parent), at=at, took=took, failed=failed)
        for key, parent, at, took, failed in drawn
    ]
    for part in own_parts(spans):
        assert 0 <= part.self_s <= part.span.took_s


def request(
    number: int, at_s: float, *, pay_s: float = 0.02, failed: bool = False, way_s: float = 0.001
) -> list[CallSpan]:
    """One request: shop calls pay, which works for ``pay_s``; the way there takes ``way_s``."""
    trace = f"t{number}"
    call_s = pay_s + way_s
    more = {"trace": trace, "failed": failed}
    return [
        CallSpan(
            id="1", parent="", service="shop", name="POST /buy", start_s=at_s, took_s=0.01 + call_s, **more
        ),
        CallSpan(
            id="2", parent="1", service="shop", name="call", start_s=at_s, took_s=call_s, peer="pay", **more
        ),
        CallSpan(id="3", parent="2", service="pay", name="POST /pay", start_s=at_s, took_s=pay_s, **more),
    ]


def judged(*requests: list[CallSpan]) -> tuple[Finding, ...]:
    return findings_of(
        own_parts(each for spans in requests for each in spans), names=NAMES, start_s=0, end_s=300
    )


def calm(since_s: float = 240) -> list[list[CallSpan]]:
    return [request(n, n * 2.0) for n in range(int(since_s / 2))]


def test_of_a_slow_chain_only_the_one_that_is_slow_by_itself_is_named():
    found = judged(*calm(), *(request(1000 + n, 240 + n * 2.0, pay_s=0.9) for n in range(30)))
    (finding,) = found
    assert (finding.kind, finding.service, finding.component) == (FindingKind.LATENCY_UP, "pay", "")
    assert finding.began_at is not None
    assert finding.began_at.timestamp() == 240
    assert (finding.evidence[0].value, finding.evidence[0].baseline) == (0.9, 0.02)
    assert "takes on its own 900 ms" in finding.summary


def test_of_a_failing_chain_only_the_one_that_failed_first_is_named():
    found = judged(*calm(), *(request(1000 + n, 240 + n * 2.0, failed=n % 2 == 0) for n in range(30)))
    assert [(f.kind, f.service, f.data["value"]) for f in found] == [(FindingKind.ERROR_RATE_UP, "pay", 0.5)]


def test_time_lost_on_the_way_is_the_callers_span_and_at_one_end_of_the_wire():
    found = judged(*calm(), *(request(1000 + n, 240 + n * 2.0, way_s=1.0) for n in range(30)))
    slow = [f for f in found if f.kind is FindingKind.LATENCY_UP]
    assert [(f.service, f.data["operations"]) for f in slow] == [("shop", ["call"])]
    wires = {f.service: f for f in found if f.kind is FindingKind.SPAN_LAG}
    assert set(wires) == {"shop", "pay"}  # two ends and one call: nothing tells them apart
    assert "have lost up to 9" in wires["pay"].summary
    assert wires["pay"].began_at == slow[0].began_at


def renamed(spans: list[CallSpan], caller: str) -> list[CallSpan]:
    return [
        replace(
            each, trace=f"{each.trace} {caller}", service=caller if each.service == "shop" else each.service
        )
        for each in spans
    ]


def test_a_wire_that_is_slow_for_all_callers_is_the_callees():
    requests = [*calm(), *(request(1000 + n, 240 + n * 2.0, way_s=1.0) for n in range(30))]
    others = [renamed(spans, caller) for spans in requests for caller in ("kiosk", "till")]
    parts = own_parts(each for spans in [*requests, *others] for each in spans)
    found = findings_of(parts, names=(*NAMES, "kiosk", "till"), start_s=0, end_s=300)
    wires = sorted((f for f in found if f.kind is FindingKind.SPAN_LAG), key=lambda f: -f.strength)
    assert wires[0].service == "pay"
    assert wires[0].strength > 2 * max((f.strength for f in wires[1:]), default=0.0)


def test_without_anything_slow_no_wire_is_looked_at():
    found = judged(*calm(), *(request(1000 + n, 240 + n * 2.0, failed=True) for n in range(30)))
    assert FindingKind.SPAN_LAG not in {f.kind for f in found}


def test_a_call_into_what_is_not_traced_counts_for_what_is_called():
    late = [request(1000 + n, 240 + n * 2.0, pay_s=0.9)[:2] for n in range(30)]
    found = judged(*(spans[:2] for spans in calm()), *late)
    assert [(f.kind, f.service, f.component) for f in found] == [(FindingKind.DEPENDENCY_SLOW, "shop", "pay")]


def test_more_traffic_with_the_same_share_of_failures_is_no_finding():
    busy = [request(1000 + n, 240 + n / 2, failed=n % 10 == 0) for n in range(120)]
    found = judged(*(request(n, n * 2.0, failed=n % 10 == 0) for n in range(120)), *busy)
    assert found == ()


def test_spans_of_services_that_the_catalogue_does_not_have_are_only_subtracted():
    late = [request(1000 + n, 240 + n * 2.0, pay_s=0.9) for n in range(30)]
    spans = own_parts(each for part in [*calm(), *late] for each in part)
    assert findings_of(spans, names=("shop",), start_s=0, end_s=300) == ()
