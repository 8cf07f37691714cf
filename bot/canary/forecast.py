"""Forecasts, before a canary starts, whether its traffic is enough to see it fail."""

from __future__ import annotations

from math import log

from bot.canary.evidence import errors_to_see
from bot.domain.formatting import duration, figure, percent
from bot.domain.rollouts.judging import Traffic
from bot.domain.rollouts.verdict import Forecast

_MOST_ERRORS = 10**9


def forecast(traffic: Traffic) -> Forecast:
    """Estimate when the judge of counts would detect ``ratio`` times as many errors.

    Errors come at ``requests_per_s * error_share * (1 + canary_share (ratio - 1))``; so many are needed that
    the expected evidence reaches ``1/alpha``.  Chance carries most over that threshold before: simulated,
    the median is about a seventh less for a doubling.
    """
    share, ratio = traffic.canary_share, traffic.ratio
    needed = errors_to_see(share=share, ratio=ratio, threshold=log(1 / traffic.alpha))
    errors_per_s = traffic.requests_per_s * traffic.error_share * (1 + share * (ratio - 1))
    needed_s = needed / errors_per_s if needed is not None and errors_per_s > 0 else None
    enough = needed_s is not None and needed_s <= traffic.window_s
    return Forecast(
        enough=enough,
        needed_s=needed_s,
        errors_needed=_MOST_ERRORS if needed is None else needed,
        text=_text(traffic, needed_s, enough=enough),
    )


def _text(traffic: Traffic, needed_s: float | None, *, enough: bool) -> str:
    now = f"{percent(traffic.error_share)}{_measured(traffic)}"
    fault = f"{traffic.ratio:.3g} times as many errors as now ({now})"
    at = f"{figure(traffic.canary_share, 'ratio')} of {traffic.requests_per_s:.3g} requests/s"
    if needed_s is None:
        why = (
            "it gets no traffic" if not traffic.requests_per_s else "stable has had no errors to compare with"
        )
        return f"This canary cannot be judged by {fault}: {why}."
    if enough:
        return f"At {at}, {fault} would be seen within about {duration(needed_s)}."
    return (
        f"Traffic is too sparse: at {at}, {fault} would be seen only after about {duration(needed_s)}; "
        f"this canary is watched for {duration(traffic.window_s)}."
    )


def _measured(traffic: Traffic) -> str:
    return "" if traffic.measured_s is None else f" in the last {duration(traffic.measured_s)}"
