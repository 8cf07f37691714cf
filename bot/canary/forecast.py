"""Forecasts, before a canary starts, whether its traffic is enough to see it fail."""

from __future__ import annotations

from math import log

from bot.canary.evidence import errors_to_clear, errors_to_see, requests_to_pass
from bot.domain.formatting import about, duration, figure, percent
from bot.domain.rollouts.judging import Traffic
from bot.domain.rollouts.verdict import Forecast

_MOST_ERRORS = 10**9
_LIKELY_NONE = 0.5
"""As many expected errors, or fewer, are likely to be none."""


def forecast(traffic: Traffic) -> Forecast:
    """Estimate when the judge of counts would detect ``ratio`` times as many errors, and pass a good canary.

    Errors come at ``requests_per_s * error_share * (1 + canary_share (ratio - 1))``; so many are needed that
    the expected evidence reaches ``1/alpha``.  Chance carries most over that threshold before: simulated,
    the median is about a seventh less for a doubling.
    """
    share, ratio = traffic.canary_share, traffic.ratio
    needed = errors_to_see(share=share, ratio=ratio, threshold=log(1 / traffic.alpha))
    errors_per_s = traffic.requests_per_s * traffic.error_share * (1 + share * (ratio - 1))
    needed_s = needed / errors_per_s if needed is not None and errors_per_s > 0 else None
    passes_s = _passes_s(traffic)
    enough = needed_s is not None and needed_s <= traffic.window_s
    return Forecast(
        enough=enough,
        needed_s=needed_s,
        errors_needed=_MOST_ERRORS if needed is None else needed,
        passes_s=passes_s,
        text=f"{_detected(traffic, needed_s, enough=enough)} {_passed(traffic, passes_s)}",
    )


def _passes_s(traffic: Traffic) -> float | None:
    """Return the seconds until a canary as good as stable passes: by few errors, or beside stable's."""
    share = traffic.least_share or traffic.canary_share
    threshold = log((2 if traffic.harmless_share else 1) / traffic.beta)
    ways: list[float] = []
    if traffic.harmless_share and traffic.requests_per_s:
        requests = requests_to_pass(threshold=threshold, below=traffic.harmless_share)
        if requests * traffic.error_share < _LIKELY_NONE:
            ways.append(requests / (traffic.requests_per_s * share))
    errors = errors_to_clear(share=share, ratio=traffic.ratio, threshold=threshold)
    if errors is not None and traffic.requests_per_s and traffic.error_share:
        ways.append(errors / (traffic.requests_per_s * traffic.error_share))
    return min(ways, default=None)


def _passed(traffic: Traffic, passes_s: float | None) -> str:
    share = f"{figure(traffic.least_share or traffic.canary_share, 'ratio')} of the traffic"
    asked = f"a person is asked after {duration(traffic.window_s)}"
    if passes_s is None:
        return f"A good canary cannot pass without a person: {asked}."
    if passes_s > traffic.window_s:
        return f"At {share} a good canary needs about {about(passes_s)} to pass; {asked}."
    return f"At {share} a good canary passes after about {about(passes_s)}."


def _detected(traffic: Traffic, needed_s: float | None, *, enough: bool) -> str:
    now = f"{percent(traffic.error_share)}{_measured(traffic)}"
    fault = f"{traffic.ratio:.3g} times as many errors as now ({now})"
    at = f"{figure(traffic.canary_share, 'ratio')} of {traffic.requests_per_s:.3g} requests/s"
    if not traffic.requests_per_s:
        return f"There is no traffic{_measured(traffic)} to judge a canary by."
    if needed_s is None and traffic.harmless_share:
        limit = percent(traffic.harmless_share)
        return f"There are no errors{_measured(traffic)}, so errors are held against {limit} of the requests."
    if needed_s is None:
        return f"There are no errors{_measured(traffic)} to compare with, so errors cannot be judged."
    if enough:
        return f"At {at}, {fault} would be seen within about {duration(needed_s)}."
    return (
        f"Traffic is too sparse: at {at}, {fault} would be seen only after about {duration(needed_s)}; "
        f"this canary is watched for {duration(traffic.window_s)}."
    )


def _measured(traffic: Traffic) -> str:
    return "" if traffic.measured_s is None else f" in the last {duration(traffic.measured_s)}"
