"""Attributes the time that calls lose between caller and callee, by their spans, to one of the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.diagnosis.offline import lags
from bot.diagnosis.offline.case import SpanBucket
from bot.diagnosis.signals.trace_span import CallSpan
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.formatting import figure
from bot.domain.wording import clock_time, moment

_LEAST_SHARE = 0.3
_MILLI = 1000.0


def lost_on_the_wire(
    spans: Iterable[CallSpan], *, names: Iterable[str], onset_s: float, source: str
) -> tuple[Finding, ...]:
    """List those of ``names`` at whose end of the wire calls lose time since ``onset_s`` (since the epoch).

    A call is measured where both its ends were traced: from the caller's span of the call to the callee's
    span of the work, and back.  How it is attributed to one end: ``lags.blamed``.
    """
    measured = lags.lost(lags.of_spans(_crossings(list(spans))), onset_s=onset_s)
    worst: dict[str, float] = {}
    for lag in measured:
        for end in (lag.caller, lag.callee):
            worst[end] = max(worst.get(end, 0.0), lag.lost_ms / _MILLI)
    shares = sorted(lags.blamed(measured).items(), key=lambda pair: (-pair[1], pair[0]))
    known = set(names)
    return tuple(
        _finding(service, share, worst[service], onset_s=onset_s, source=source)
        for service, share in shares
        if share >= _LEAST_SHARE and service in known
    )


def _crossings(spans: list[CallSpan]) -> Iterator[SpanBucket]:
    by_id = {(span.trace, span.id): span for span in spans}
    for span in spans:
        call = by_id.get((span.trace, span.parent))
        if call is None or not call.peer or call.service == span.service:
            continue
        yield SpanBucket(
            time_s=call.start_s,
            service=span.service,
            operation=span.name,
            parent=call.service,
            count=1,
            p50_ms=span.took_s * _MILLI,
            lag_start_ms=(span.start_s - call.start_s) * _MILLI,
            lag_end_ms=(call.start_s + call.took_s - span.start_s - span.took_s) * _MILLI,
        )


def _finding(service: str, share: float, lost_s: float, *, onset_s: float, source: str) -> Finding:
    since = clock_time(moment(onset_s))
    text = f"calls to and from {service} have lost up to {figure(lost_s, 's')} on the network since {since}"
    kind = FindingKind.SPAN_LAG
    return Finding(
        id=f"{source}:{kind.value}:{service}",
        source=source,
        kind=kind,
        service=service,
        summary=f"{text[0].upper()}{text[1:]}.",
        began_at=moment(onset_s),
        strength=min(share, 0.99),
        evidence=(Evidence(text=text, query="", value=lost_s, unit="s"),),
        data={"value": round(lost_s, 4)},
    )
