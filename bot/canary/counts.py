"""Judges errors among requests, at every look."""

from __future__ import annotations

from math import log

from bot.canary.evidence import errors_to_clear, errors_to_see, odds, requests_to_pass
from bot.canary.phrases import odds_words, tally_words, wait_words
from bot.canary.sequential import CountEvidence, distinct, history
from bot.canary.silence import silence, unproved_weight
from bot.domain.rollouts.judging import CountMetric, RequestTally
from bot.domain.rollouts.verdict import MetricOutcome, MetricVerdict


def judge_counts(metric: CountMetric) -> MetricVerdict:
    """Fold the looks (or the attempts, each request once) and judge the evidence."""
    ratio = metric.harmful_ratio
    if metric.attempts:
        return judge_evidence(metric, CountEvidence(ratio=ratio, step=distinct(metric.attempts)))
    looks = history(metric.looks, ratio=ratio)
    if len(metric.looks) == 1:
        text = "the counters were read once: what either side answers is counted from here on"
        return _verdict(metric, looks[-1], MetricOutcome.INCONCLUSIVE, "baseline_only", text)
    found = judge_evidence(metric, looks[-1], silent=silence(looks))
    if found.outcome is MetricOutcome.PASS and (unproved := unproved_weight(looks)):
        return _verdict(metric, looks[-1], MetricOutcome.INCONCLUSIVE, "no_requests_yet", unproved)
    return found


def judge_evidence(metric: CountMetric, evidence: CountEvidence, *, silent: str = "") -> MetricVerdict:
    """Judge what was counted so far.

    It fails once the odds for "worse" reach ``1/alpha`` and the canary has more than its share of the errors;
    it passes once the odds against "``harmful_ratio`` times as bad", or for "harmless", are enough.
    ``silent`` is why the requests counted so far prove nothing about now, in words; then it does not pass.
    """
    total = evidence.total
    if not total.canary.requests:
        return _verdict(
            metric, evidence, MetricOutcome.NO_DATA, "no_requests", "the canary served no requests"
        )
    if evidence.log_worse >= log(1 / metric.alpha) and evidence.more_than_its_share:
        return _told(metric, evidence, MetricOutcome.FAIL, "odds_reached")
    if silent:
        return _verdict(metric, evidence, MetricOutcome.NO_DATA, "traffic_dried_up", silent)
    if total.canary.requests < metric.min_requests:
        return _waiting(metric, evidence, "too_few_requests")
    enough = passing_threshold(metric)
    if metric.harmless_share and evidence.log_harmless(below=metric.harmless_share) >= enough:
        return _told(metric, evidence, MetricOutcome.PASS, "harmless")
    if not total.stable.requests:
        text = "stable served no requests, so there is nothing to compare with"
        return _verdict(metric, evidence, MetricOutcome.NO_DATA, "no_baseline", text)
    if evidence.log_no_worse >= enough:
        return _told(metric, evidence, MetricOutcome.PASS, "harm_ruled_out")
    return _waiting(metric, evidence, "not_decided")


def passing_threshold(metric: CountMetric) -> float:
    """Return the logarithm of the odds at which it passes; two ways of passing share the risk ``beta``."""
    return log((2 if metric.harmless_share else 1) / metric.beta)


def _told(metric: CountMetric, evidence: CountEvidence, outcome: MetricOutcome, reason: str) -> MetricVerdict:
    total = evidence.total
    errors = f"errors on the canary: {tally_words(total.canary)}, on stable: {tally_words(total.stable)}"
    match reason:
        case "odds_reached":
            text = f"{errors}; odds {odds_words(evidence.log_worse)} against equal"
        case "harmless":
            surely = evidence.log_harmless(below=metric.harmless_share)
            text = f"{errors}; odds {odds_words(surely)} for less than {metric.harmless_share * 100:.3g} %"
        case _:
            against = odds_words(evidence.log_no_worse)
            text = f"{errors}; odds {against} against {metric.harmful_ratio:.3g} times as many"
    return _verdict(metric, evidence, outcome, reason, text)


def _waiting(metric: CountMetric, evidence: CountEvidence, reason: str) -> MetricVerdict:
    have, needed, things = _goal(metric, evidence, reason)
    wait_s = _wait_s(evidence, have, needed)
    progress = (
        f"{have:,} of about {needed:,} {things} needed{wait_words(wait_s)}" if needed else "no end in sight"
    )
    verdict = _told(metric, evidence, MetricOutcome.INCONCLUSIVE, "odds_reached")
    return verdict.model_copy(
        update={
            "reason": reason,
            "have": have if needed else None,
            "needed": needed,
            "wait_s": wait_s,
            "text": f"{verdict.text}; {progress}",
        }
    )


def _goal(metric: CountMetric, evidence: CountEvidence, reason: str) -> tuple[int, int | None, str]:
    """Return how much of what a decision needs is there: requests or errors, whichever come sooner."""
    total = evidence.total
    if reason == "too_few_requests":
        return total.canary.requests, metric.min_requests, "requests on the canary"
    errors = _errors_needed(metric, evidence)
    requests = _requests_needed(metric, total.canary)
    if requests is not None and (errors is None or _sooner(evidence, requests, errors)):
        return total.canary.requests, requests, "requests on the canary"
    return total.errors, errors, "errors on both sides"


def _errors_needed(metric: CountMetric, evidence: CountEvidence) -> int | None:
    """Return the total number of errors needed to decide, if the likelier hypothesis so far is true."""
    share, so_far = evidence.step.share, evidence.total.errors
    if not 0 < share < 1:
        return None
    if evidence.more_than_its_share and evidence.log_worse > max(0.0, evidence.log_no_worse):
        closed = so_far - evidence.step.errors
        needed = errors_to_see(
            share=share,
            ratio=_ratio_so_far(evidence),
            threshold=log(1 / metric.alpha),
            gained=evidence.closed_worse,
        )
        return None if needed is None else max(closed + needed, so_far + 1)
    more = errors_to_clear(
        share=share,
        ratio=metric.harmful_ratio,
        threshold=passing_threshold(metric),
        gained=evidence.log_no_worse,
    )
    return None if more is None else so_far + max(more, 1)


def _ratio_so_far(evidence: CountEvidence) -> float:
    """Return how many times as often the canary errs as stable; no error on stable counts as half of one."""
    canary, every, expected = evidence.total.canary.errors, evidence.total.errors, evidence.expected_errors
    return max(1.01, canary / expected * (every - expected) / max(every - canary, 0.5))


def _requests_needed(metric: CountMetric, canary: RequestTally) -> int | None:
    """Return the requests after which it counts as harmless if no error follows (rule of three)."""
    if not metric.harmless_share or canary.errors:
        return None
    needed = requests_to_pass(threshold=passing_threshold(metric), below=metric.harmless_share)
    return max(needed, canary.requests + 1)


def _sooner(evidence: CountEvidence, requests: int, errors: int) -> bool:
    """Return whether this many requests of the canary come before this many errors, at the pace so far."""
    have = evidence.total
    return not have.errors or requests / have.canary.requests < errors / have.errors


def _wait_s(evidence: CountEvidence, have: int, needed: int | None) -> float | None:
    if needed is None or not have or not evidence.lasted_s:
        return None
    return evidence.lasted_s * (needed - have) / have


def _verdict(
    metric: CountMetric, evidence: CountEvidence, outcome: MetricOutcome, reason: str, text: str
) -> MetricVerdict:
    total = evidence.total
    return MetricVerdict(
        metric=metric.name,
        outcome=outcome,
        reason=reason,
        text=text,
        critical=metric.critical,
        weight=metric.weight,
        optional=metric.optional,
        value=total.canary.errors / total.canary.requests if total.canary.requests else None,
        baseline=total.stable.errors / total.stable.requests if total.stable.requests else None,
        unit="ratio",
        odds=odds(evidence.log_worse),
        effective_canary=total.canary.requests,
        effective_stable=total.stable.requests,
        query=metric.query,
    )
