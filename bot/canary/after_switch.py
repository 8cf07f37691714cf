"""Judges a version that serves alone since a switch, by its target's own counters."""

from __future__ import annotations

from math import log

from bot.canary.phrases import tally_words
from bot.canary.sequential import CountEvidence, Sides, increase
from bot.canary.silence import is_quiet
from bot.domain.formatting import duration, percent
from bot.domain.model import Model
from bot.domain.rollouts.judging import RequestTally

_ALPHA = 0.01
_ENOUGH_BEFORE = 100
"""With fewer requests before the switch there is little to compare with, and the limit holds as well."""
_LEAST_ERRORS = 5


class CountsAt(Model):
    """What a target's stable side has counted up to a moment, in seconds since any fixed one."""

    at_s: float
    tally: RequestTally


class CountsWindow(Model):
    """The requests of some seconds."""

    lasted_s: float = 0.0
    tally: RequestTally = RequestTally()

    @classmethod
    def between(cls, first: CountsAt | None, last: CountsAt | None) -> CountsWindow:
        """Return what was counted between two readings; nothing where one of them is missing."""
        if first is None or last is None:
            return cls()
        return cls(lasted_s=max(0.0, last.at_s - first.at_s), tally=increase(first.tally, last.tally))

    @property
    def per_s(self) -> float:
        """Requests a second."""
        return self.tally.requests / self.lasted_s if self.lasted_s else 0.0


class AfterSwitch(Model):
    """What the counters show since a switch."""

    well: bool
    known: bool
    """Whether any request came, so that its errors are known."""
    text: str


def judge_after_switch(
    *, before: CountsWindow, since: CountsWindow, latest: CountsWindow, at_most: float
) -> AfterSwitch:
    """Judge the errors since a switch, and whether the version is still asked.

    It is not well if its errors are more than those ``before`` at odds of 100:1 or, where fewer than 100
    requests came before, more than the share ``at_most`` and five at least; nor if requests dry up, over the
    whole time since the switch or over ``latest``, the time since the last look.
    """
    text = f"errors since the switch: {tally_words(since.tally)}"
    if before.tally.requests:
        text += f"; before it: {tally_words(before.tally)}"
    if _is_worse(before.tally, since.tally):
        return AfterSwitch(well=False, known=True, text=text)
    if before.tally.requests < _ENOUGH_BEFORE and _is_over(since.tally, at_most):
        return AfterSwitch(well=False, known=True, text=f"{text}; more than {percent(at_most)}")
    quiet = _dried_up(before.per_s, since) or _dried_up(_earlier(since, latest).per_s, latest)
    if quiet:
        return AfterSwitch(well=False, known=bool(since.tally.requests), text=quiet)
    if not since.tally.requests:
        text = f"no request came in the {duration(since.lasted_s)} since the switch: its errors are unknown"
    return AfterSwitch(well=True, known=bool(since.tally.requests), text=text)


def _is_worse(before: RequestTally, since: RequestTally) -> bool:
    evidence = CountEvidence(ratio=2, step=Sides(canary=since, stable=before))
    return evidence.log_worse >= log(1 / _ALPHA) and evidence.more_than_its_share


def _is_over(since: RequestTally, at_most: float) -> bool:
    return since.errors >= _LEAST_ERRORS and since.errors > at_most * since.requests


def _earlier(since: CountsWindow, latest: CountsWindow) -> CountsWindow:
    """Return the time from the switch to the last look."""
    requests = max(0, since.tally.requests - latest.tally.requests)
    return CountsWindow(
        lasted_s=max(0.0, since.lasted_s - latest.lasted_s), tally=RequestTally(requests=requests)
    )


def _dried_up(per_s: float, window: CountsWindow) -> str:
    """Return that too few requests came for the pace of before; empty where enough did."""
    expected, came = per_s * window.lasted_s, window.tally.requests
    if not is_quiet(came, expected):
        return ""
    return (
        f"the traffic has dried up: {came or 'no'} requests in the last {duration(window.lasted_s)}, where "
        f"about {expected:,.0f} were to be expected"
    )
