"""Finds ordinary log lines that are missing while those around them are there: requests that break off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bot.diagnosis.offline.tallies import (
    BIN_S,
    TalliedThing,
    Tallies,
    TurningPoint,
    likelihoods,
    silence_chance,
    turns,
)
from bot.diagnosis.signals.templates import digest_of
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.wording import clock_time, moment

_LEAST_STRENGTH = 0.5
_LEAST_EXPECTED = 5.0
_LEAST_GONE = 0.8
_LEAST_BINS = 6
_MOST_CHANCE = 0.05
_MOST = 3
_CHARS = 120


def missing(
    service: str,
    logged: Mapping[tuple[bool, str], Iterable[float]],
    *,
    onset_s: float | None,
    source: str,
    path: str = "",
) -> tuple[Finding, ...]:
    """List the templates of one service that are no longer logged, most surely missing first.

    ``logged`` maps each template, with whether it reports an error, to the times of its lines (seconds since
    the epoch).  Without ``onset_s`` it is taken to be when the rates of all changed most.  A template
    is reported missing after at least five expected occurrences, when at least 80 % of them are absent and so
    long a silence has a chance of 5 % at most: what comes in bursts, as when a process starts, has no rate.
    """
    tallies = Tallies()
    for (is_error, template), times_s in logged.items():
        for at_s in times_s:
            tallies.add(TalliedThing(service=service, name=template, is_error=is_error), time_s=at_s)
    since_s = _change(tallies) if onset_s is None else onset_s
    if since_s is None:
        return ()
    gone = [
        turn
        for turn in turns(tallies, onset_s=since_s)
        if _is_gone(turn) and silence_chance(tallies, turn.thing, onset_s=since_s) <= _MOST_CHANCE
    ]
    return tuple(_finding(turn, since_s, source=source, path=path) for turn in gone[:_MOST])


def _change(tallies: Tallies) -> float | None:
    places = sorted(tallies.recorded)
    if len(places) < _LEAST_BINS:
        return None
    moments: Sequence[float] = [place * BIN_S for place in places[2:-1]]
    gains = likelihoods(tallies, at_s=moments)
    return moments[int(np.argmax(gains))] if float(gains.max(initial=0.0)) > 0 else None


def _is_gone(turn: TurningPoint) -> bool:
    return (
        turn.vanished
        and not turn.thing.is_error
        and turn.expected >= _LEAST_EXPECTED
        and turn.after <= (1 - _LEAST_GONE) * turn.expected
        and turn.strength >= _LEAST_STRENGTH
    )


def _finding(turn: TurningPoint, onset_s: float, *, source: str, path: str) -> Finding:
    service, template = turn.thing.service, turn.thing.name
    since = clock_time(moment(onset_s))
    text = (
        f"{service} has logged “{template[:_CHARS]}” {turn.after} times since {since}; "
        f"by its other lines, {turn.expected:.0f} were expected"
    )
    digest = digest_of(template)
    kind = FindingKind.LOG_TEMPLATE_VANISHED
    return Finding(
        id=f"{source}:{kind.value}:{service}:{digest}",
        source=source,
        kind=kind,
        service=service,
        component=digest,
        summary=f"{text}.",
        began_at=moment(onset_s),
        strength=min(turn.strength, 0.99),
        evidence=(
            Evidence(
                text=text, query=path, value=float(turn.after), baseline=round(turn.expected, 1), unit="lines"
            ),
        ),
        data={"level": "INFO", "template": template[:_CHARS], "value": turn.after, "baseline": turn.expected},
    )
