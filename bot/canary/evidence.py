"""The evidence of error counts as e-values: bets whose gain no fair world lets grow."""

from __future__ import annotations

from math import ceil, exp, inf, lgamma, log

PRIOR_WEIGHT = 10.0
"""How many errors the prior of the canary's share is worth; its mean is the share of the requests."""
MOST_ERRORS = 10**9
CEILING = 690.0
"""The largest logarithm that is still reported as odds (1e300)."""


def log_odds_worse(canary_errors: float, stable_errors: float, *, share: float) -> float:
    """Return the logarithm of the beta-binomial e-value against "both err alike".

    With ``share`` the canary's part of the requests, each of ``k + m`` errors is then the canary's with that
    probability.  ``ln e = ln B(a+k, b+m) - ln B(a, b) - k ln share - m ln(1-share)``, ``a = 10 share``,
    ``b = 10 (1-share)``.  By Ville's inequality it ever exceeds ``ln 1/alpha`` with probability
    alpha at most, so it may be looked at as often as one likes (Robbins 1970; Ramdas et al. 2023, section 4).
    """
    if not 0 < share < 1:
        return 0.0  # everything was the canary's, or nothing: nothing can be compared
    a, b = PRIOR_WEIGHT * share, PRIOR_WEIGHT * (1 - share)
    return (
        _log_beta(a + canary_errors, b + stable_errors)
        - _log_beta(a, b)
        - canary_errors * log(share)
        - stable_errors * log(1 - share)
    )


def log_odds_no_worse(canary_errors: int, stable_errors: int, *, share: float, ratio: float) -> float:
    """Logarithm of the likelihood ratio for "both err alike" against "``ratio`` times as often, or more".

    The same inequality holds for it: at any larger ratio its expected growth is below 1 (Wald 1945).
    """
    if not 0 < share < 1:
        return 0.0
    worse = share_of_errors(share, ratio=ratio)
    return canary_errors * log(share / worse) + stable_errors * log((1 - share) / (1 - worse))


def log_odds_harmless(requests: int, errors: int, *, below: float) -> float:
    """Return the log of the e-value for "the error share is less than ``below``" against "that, or more".

    The even mixture of the likelihood ratios of a half and a tenth of ``below``.
    """
    if below <= 0:
        return -inf
    ratios = [
        errors * log(part) + (requests - errors) * log((1 - part * below) / (1 - below))
        for part in (0.5, 0.1)
    ]
    top = max(ratios)
    return top + log(sum(exp(value - top) for value in ratios) / len(ratios))


def share_of_errors(share: float, *, ratio: float) -> float:
    """Return the canary's share of all errors if it errs ``ratio`` times as often as stable."""
    return share * ratio / (share * ratio + 1 - share)


def errors_to_see(*, share: float, ratio: float, threshold: float, gained: float = 0.0) -> int | None:
    """Count the errors, on both sides together, after which ``log_odds_worse`` is expected at ``threshold``.

    ``gained`` is the evidence of earlier steps; ``None``: not within a thousand million errors.
    """
    part = share_of_errors(share, ratio=ratio)
    low, high = 0, 1
    while gained + log_odds_worse(part * high, (1 - part) * high, share=share) < threshold:
        low, high = high, high * 2
        if high > MOST_ERRORS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        seen = gained + log_odds_worse(part * middle, (1 - part) * middle, share=share) >= threshold
        low, high = (low, middle) if seen else (middle, high)
    return high


def errors_to_clear(*, share: float, ratio: float, threshold: float, gained: float = 0.0) -> int | None:
    """Count the further errors after which ``log_odds_no_worse`` is expected at ``threshold``."""
    if not 0 < share < 1:
        return None
    worse = share_of_errors(share, ratio=ratio)
    growth = share * log(share / worse) + (1 - share) * log((1 - share) / (1 - worse))
    return max(0, -int(-(threshold - gained) // growth)) if growth > 0 else None


def requests_to_pass(*, threshold: float, below: float) -> int:
    """Count the requests without an error after which a share of errors is surely under ``below``.

    The rule of three, with a tenth on top: at a threshold of ``log(20)`` about ``3.7 / below`` and a tenth.
    """
    return ceil((threshold + log(2)) / (0.9 * below))


def odds(logarithm: float) -> float:
    """Turn a logarithm into odds that a JSON number can hold."""
    return exp(max(-CEILING, min(CEILING, logarithm)))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
