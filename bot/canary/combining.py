"""Combines the verdicts of metrics into one decision: never a silent pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.formatting import listed
from bot.domain.rollouts.judging import JudgePolicy
from bot.domain.rollouts.verdict import CanaryVerdict, Decision, MetricOutcome, MetricVerdict

_UNREAD = (MetricOutcome.NO_DATA, MetricOutcome.ERROR)
_WORDS: dict[Decision, str] = {"proceed": "Proceed", "stop": "Stop", "ask": "Not decided yet"}


def combine(metrics: Sequence[MetricVerdict], *, policy: JudgePolicy) -> CanaryVerdict:
    """Decide, in an order in which what is open never hides what has failed.

    1. a critical metric failed: stop;
    2. the score is below ``ask_at``: stop;
    3. something could not be read, or is inconclusive: as the policy directs, at least a person;
    4. the score is below ``proceed_at``, or nothing was decided: ask;
    5. proceed.
    """
    counted = [metric for metric in metrics if metric.weight > 0]
    score = score_of(counted)
    decision, reason, deciding = _decide(counted, score, policy)
    waits = [metric.wait_s for metric in counted if metric.outcome is MetricOutcome.INCONCLUSIVE]
    known = [wait for wait in waits if wait is not None]
    return CanaryVerdict(
        decision=decision,
        reason=reason,
        text=_text(decision, reason, deciding, metrics, score),
        score=score,
        decided_by=tuple(metric.metric for metric in deciding),
        wait_s=max(known) if known and decision == "ask" else None,
        metrics=tuple(metrics),
    )


def score_of(metrics: Sequence[MetricVerdict]) -> float | None:
    """Return the passed share of the weight that passed or failed, 0 to 100; ``None`` if neither did."""
    passed = sum(metric.weight for metric in metrics if metric.outcome is MetricOutcome.PASS)
    failed = sum(metric.weight for metric in metrics if metric.outcome is MetricOutcome.FAIL)
    return 100 * passed / (passed + failed) if passed + failed else None


def _decide(
    counted: Sequence[MetricVerdict], score: float | None, policy: JudgePolicy
) -> tuple[Decision, str, list[MetricVerdict]]:
    failed = _heaviest(metric for metric in counted if metric.outcome is MetricOutcome.FAIL)
    critical = [metric for metric in failed if metric.critical]
    if critical:
        return "stop", "critical_failed", critical
    if failed and score is not None and score < policy.ask_at:
        return "stop", "score_too_low", failed
    unread = _heaviest(metric for metric in counted if metric.outcome in _UNREAD and not metric.optional)
    if unread and policy.no_data == "stop":
        return "stop", "not_read", unread
    undecided = _heaviest(metric for metric in counted if metric.outcome is MetricOutcome.INCONCLUSIVE)
    if undecided and policy.inconclusive == "stop":
        return "stop", "not_decided", undecided
    if unread:
        return "ask", "not_read", unread
    if failed and score is not None and score < policy.proceed_at:
        return "ask", "score_between", failed
    if undecided:
        return "ask", "not_decided", undecided
    passed = _heaviest(metric for metric in counted if metric.outcome is MetricOutcome.PASS)
    if not passed:
        return "ask", "nothing_judged", []
    return "proceed", "all_passed" if not failed else "score_reached", passed


def _heaviest(metrics: Iterable[MetricVerdict]) -> list[MetricVerdict]:
    return sorted(metrics, key=lambda metric: (not metric.critical, -metric.weight))


def _text(
    decision: Decision,
    reason: str,
    deciding: Sequence[MetricVerdict],
    metrics: Sequence[MetricVerdict],
    score: float | None,
) -> str:
    names = listed([metric.metric for metric in deciding], most=4)
    scored = "" if score is None else f" (score {score:.0f} of 100)"
    match reason:
        case "critical_failed" | "score_too_low" | "score_between":
            text = f"{_WORDS[decision]}, decided by {names}{scored}: {deciding[0].text}."
        case "not_read":
            text = f"{_WORDS[decision]}: {names} could not be judged: {deciding[0].text}."
        case "not_decided":
            text = f"{_WORDS[decision]} ({names}): {deciding[0].text}."
        case "nothing_judged":
            text = f"{_WORDS[decision]}: no metric that counts could be judged."
        case _:
            text = f"{_WORDS[decision]}, decided by {names}{scored}."
    left_out = [m.metric for m in metrics if m.outcome in _UNREAD and (m.optional or m.weight == 0)]
    return f"{text} Without {listed(left_out, most=4)}, which had no data." if left_out else text
