"""The judge's figures in words: odds, shares of requests, shifts, waits."""

from __future__ import annotations

from bot.canary.evidence import odds
from bot.domain.formatting import duration, figure, percent
from bot.domain.rollouts.judging import RequestTally

_MANY_ODDS = 1_000_000
_NEVER_MORE = 1e6


def odds_words(logarithm: float) -> str:
    """Write odds: ``300:1``, ``more than a million to one``, ``1:4``."""
    value = odds(logarithm)
    if value >= _MANY_ODDS:
        return "more than a million to one"
    if value >= 1:
        return f"{value:,.0f}:1"
    return f"1:{1 / value:,.0f}" if value > 1 / _NEVER_MORE else "less than one to a million"


def tally_words(tally: RequestTally) -> str:
    """Write counts: ``12 of 1,040 (1.2 %)``."""
    if not tally.requests:
        return "no requests"
    return f"{tally.errors:,} of {tally.requests:,} ({percent(tally.errors / tally.requests)})"


def relative(shift: float, baseline: float, unit: str) -> str:
    """Write a shift against its baseline: ``+12 ms (+8 %)``; without a baseline only the shift."""
    sign = "+" if shift >= 0 else ""
    text = f"{sign}{figure(shift, unit)}"
    return f"{text} ({sign}{shift / abs(baseline):.0%})".replace("%)", " %)") if baseline else text


def wait_words(wait_s: float | None) -> str:
    """Return how long it may take, as ``, about 2 min``; empty if that is not known."""
    return "" if wait_s is None else f", about {duration(wait_s)}"
