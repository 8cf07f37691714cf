"""The cases of other projects' judges, judged by ours, one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from bench.judging_reasons import OUTSIDE, because
from bot.canary.combining import combine
from bot.canary.limits import judge_limit
from bot.canary.samples import judge_samples
from bot.canary.shift import midranks, shift_between, variance
from bot.domain.rollouts.judging import JudgePolicy, LimitMetric, SampleMetric
from bot.domain.rollouts.verdict import MetricOutcome, MetricVerdict

ROOT = Path(__file__).resolve().parent.parent
_FILES = ("canary_cases.json", "argo_analysis_cases.json")
_ROOT_FINDER = 1e-4
"""What the source's root finder leaves over."""

_OURS = {
    "Pass": "pass", "High": "fail", "Low": "fail", "Nodata": "no_data",
    "Successful": "pass", "Failed": "fail", "Inconclusive": "inconclusive", "Error": "error",
    "Running": "inconclusive", "Pending": "no_data",
}  # fmt: skip
_DECISIONS = {"pass": "proceed", "fail": "stop", "inconclusive": "ask", "error": "ask", "no_data": "ask"}


@dataclass(frozen=True)
class Compared:
    """One case: what its project expects, what we say, and why that differs where it does."""

    id: str
    theirs: str
    ours: str
    agrees: bool
    why: str = ""


@dataclass(frozen=True)
class Outside:
    """One case that is not about what we judge, and why."""

    id: str
    why: str


def folder() -> Path:
    """Give the folder with all cases where it is at hand, or the sample that the tests keep."""
    whole = ROOT.parent / "shared" / "data"
    return whole if (whole / _FILES[0]).exists() else ROOT / "tests" / "data" / "judging"


def agreement(data: Path) -> dict[str, Any]:
    """Compare all cases that are about judging; those about something else are listed with why."""
    canary, argo = (json.loads((data / name).read_text(encoding="utf-8")) for name in _FILES)
    everything = canary | argo
    told = [one for kind, compare in _KINDS.items() for one in compare(everything.get(kind, ()))]
    compared = [one for one in told if isinstance(one, Compared)]
    outside = [one for one in told if isinstance(one, Outside)]
    for kind, why in OUTSIDE.items():
        cases = everything.get(kind, ())
        outside += [Outside(case.get("id", f"{kind}-{at}"), why) for at, case in enumerate(cases, start=1)]
    different = [one for one in compared if not one.agrees]
    return {
        "compared": len(compared),
        "agree": len(compared) - len(different),
        "differ": len(different),
        "outside": len(outside),
        "unexplained": [one.id for one in different if not one.why],
        "cases": [asdict(one) for one in compared],
        "outside_cases": [asdict(one) for one in outside],
    }


def _compared(case: Mapping[str, Any], theirs: str, ours: str, *, number: int = 0) -> Compared:
    name = case.get("id", f"argo-severity-{number:02}")
    agrees = theirs == ours
    return Compared(name, theirs, ours, agrees, "" if agrees else because(name, ours))


def _classifier(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared | Outside]:
    for case in cases:
        expected = case.get("expected", {}).get("classification", case.get("reported_verdict"))
        wanted = expected or case.get("verdict_of_independent_reimplementation")
        if case["classifier"] != "mann_whitney" or wanted is None:
            yield Outside(case["id"], "another kind of judge, or no verdict of it is known")
            continue
        yield _compared(case, _OURS[wanted], judge_samples(_as_samples(case)).outcome.value)


def _as_samples(case: Mapping[str, Any]) -> SampleMetric:
    """Translate: an allowed mean ratio is a tolerated change; their samples are taken as independent."""
    less, more = (1.0, 1.0)
    if case["effect_size_measure"] == "meanRatio":
        less, more = case["effect_size_thresholds_decrease_increase"]
    tolerated = {"increase": more - 1, "decrease": 1 - less, "either": max(more - 1, 1 - less)}[
        case["direction"]
    ]
    return SampleMetric(
        name=case["id"],
        canary=tuple(case["experiment"]),
        stable=tuple(case["control"]),
        direction=case["direction"],
        confidence=case["confidence"],
        tolerated_change=tolerated,
        harmful_change=max(0.5, tolerated),
        independent=True,
        min_samples=2,
    )


def _pipecd(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    directions = {"EITHER": "either", "LOW": "decrease", "HIGH": "increase"}
    for case in cases:
        metric = SampleMetric.model_validate({
            "name": case["id"], "canary": case["experiment"], "stable": case["control"],
            "direction": directions[case["fail_on_deviation"]], "confidence": 0.95, "independent": True,
            "tolerated_change": 0.0, "min_samples": 2,
        })  # fmt: skip
        theirs = "no_data" if case["expected_error"] else "pass" if case["expected_ok"] else "fail"
        yield _compared(case, theirs, judge_samples(metric).outcome.value)


def _intervals(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    for case in cases:
        match case["function"]:
            case "normal_quantile":
                theirs, ours = [case["expected"]], [NormalDist().inv_cdf(case["p"])]
            case "standardised_rank_sum_at_shift":
                theirs, ours = [case["expected"]], [_standardised(case)]
            case _:
                shift = shift_between(
                    np.asarray(case["experiment"], dtype=float), np.asarray(case["control"], dtype=float),
                    confidence=case["confidence"], independent=True,
                )  # fmt: skip
                theirs = [*case["expected"]["ci"], case["expected"]["estimate"]]
                ours = [_number(shift.low), _number(shift.high), shift.estimate]
        agrees = bool(np.allclose(theirs, ours, rtol=0, atol=_ROOT_FINDER))
        why = "" if agrees else because(case["id"], str(ours))
        yield Compared(case["id"], str(theirs), str(ours), agrees, why)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _standardised(case: Mapping[str, Any]) -> float:
    x, y = np.asarray(case["x"]) - case["mu"], np.asarray(case["y"])
    ranks, ties = midranks(np.concatenate((x, y)))
    u = ranks[: x.size].sum() - x.size * (x.size + 1) / 2 - x.size * y.size / 2
    return float((u - np.sign(u) / 2) / variance(x.size, y.size, ties) ** 0.5)


def _scores(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    """Compare decisions; of a group's weight each of its decided metrics gets the same part."""
    for case in cases:
        score = case["expected"]["summary_score"]
        theirs = "proceed" if score >= 95 else "ask" if score >= 75 else "stop"  # noqa: PLR2004  # their defaults
        verdicts = [_verdict(_OURS[m["classification"]], weight=_weight(m, case), critical=m["critical"],
                             name=m["name"]) for m in case["metrics"]]  # fmt: skip
        yield _compared(
            case, theirs, combine(verdicts, policy=JudgePolicy(proceed_at=95, ask_at=75)).decision
        )


def _weight(metric: Mapping[str, Any], case: Mapping[str, Any]) -> float:
    (group,) = metric["groups"]
    decided = sum(m["groups"] == [group] and m["classification"] != "Nodata" for m in case["metrics"])
    return float(case["group_weights"].get(group, 1.0)) / max(decided, 1)


def _thresholds(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    """Compare what a final score leads to; two metrics make up the score."""
    for case in cases:
        lowest = 0.01
        proceed_at = case["pass"] or case["marginal"] or lowest
        policy = JudgePolicy(proceed_at=proceed_at, ask_at=min(case["marginal"] or lowest, proceed_at))
        decision = combine(_scoring(case["scores"][-1]), policy=policy).decision
        theirs = "proceed" if case["expected_pass"] else "no"
        yield _compared(case, theirs, "proceed" if decision == "proceed" else "no")


def _kayenta_in_argo(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    for case in cases:
        answer = case["kayenta_response"]
        score = answer.get("score") if isinstance(answer, dict) else None
        complete = isinstance(answer, dict) and answer.get("complete") is True
        theirs = _DECISIONS[_OURS[case["expected_phase"]]]
        given = _scoring(score) if complete and isinstance(score, float) else [_verdict("error")]
        policy = JudgePolicy(proceed_at=case["pass"], ask_at=case["marginal"])
        yield _compared(case, theirs, combine(given, policy=policy).decision)


def _scoring(score: float) -> list[MetricVerdict]:
    return [_verdict("pass", weight=score), _verdict("fail", weight=100 - score, name="other")]


def _single(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared | Outside]:
    limits: dict[str, dict[str, float]] = {
        "result[0] >= 0.95": {"at_least": 0.95}, "result == 10": {"at_least": 10, "at_most": 10},
        "result >= 0.9": {"at_least": 0.9}, "result >= 0.9 || isNaN(result)": {"at_least": 0.9},
        "asFloat > 1.1": {"at_least": np.nextafter(1.1, 2)}, "asInt > 0": {"at_least": 1},
        "> 0": {"at_least": 5e-324},
    }  # fmt: skip
    for case in cases:
        limit = limits.get(str(case["success_condition"]))
        if case["failure_condition"] == "asFloat < 1.3":
            limit = {"at_least": 1.3}  # failing goes before succeeding
        if limit is None:
            yield Outside(case["id"], "about an expression language, which we have not")
            continue
        result = case["result"]
        value = float(result) if isinstance(result, str | int | float) else None
        ours = judge_limit(
            LimitMetric.model_validate({"name": "x", "values": [value], **limit})
        ).outcome.value
        theirs = _OURS[case["expected_phase"]]
        if result in (None, []):
            theirs = "no_data"  # we tell an empty answer from a failing one
        yield _compared(case, theirs, ours)


def _measured(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared | Outside]:
    """Compare counters of measurements with a limit that tolerates as many breaches."""
    for case in cases:
        limits, counters = case["limits"], case["counters"]
        if "consecutiveSuccessLimit" in limits:
            yield Outside(case["id"], "about successes in a row, which we do not count")
            continue
        errors = counters.get("consecutive_error", 0)
        values = [0.0] * counters.get("successful", 0) + [1.0] * counters.get("failed", 0) + [None] * errors
        metric = LimitMetric.model_validate({
            "name": "x", "values": values, "at_most": 0.5,
            "tolerated_breaches": limits.get("failureLimit", 0),
            "min_values": limits.get("count", 10**6 if limits.get("interval_set") else 1),
        })  # fmt: skip
        yield _compared(case, _OURS[case["expected_phase"]], judge_limit(metric).outcome.value)


def _runs(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    for case in cases:
        given = [
            _verdict(_OURS[metric["phase"]], weight=0 if metric.get("dry_run") else 1, name=f"m{number}")
            for number, metric in enumerate(case["metrics"])
        ]
        theirs = _DECISIONS[_OURS[case["expected_run_phase"]]]
        yield _compared(case, theirs, combine(given, policy=JudgePolicy()).decision)


def _severity(cases: Sequence[Mapping[str, Any]]) -> Iterator[Compared]:
    """Compare which of two metrics the decision names: the new one only if it is worse."""
    for number, case in enumerate(cases, start=1):
        both = [_verdict(_OURS[case["current"]], name="current"), _verdict(_OURS[case["new"]], name="new")]
        decided = combine(both, policy=JudgePolicy()).decided_by
        yield _compared(
            case,
            "new" if case["expected_new_is_worse"] else "current",
            "new" if decided == ("new",) else "current",
            number=number,
        )


def _verdict(outcome: str, *, weight: float = 1, critical: bool = False, name: str = "m") -> MetricVerdict:
    return MetricVerdict(
        metric=name,
        outcome=MetricOutcome(outcome),
        reason="given",
        text="given",
        weight=weight,
        critical=critical,
    )


_KINDS: dict[str, Callable[[Sequence[Mapping[str, Any]]], Iterator[Compared | Outside]]] = {
    "classifier": _classifier,
    "user_reported_disagreements": _classifier,
    "pipecd_compare": _pipecd,
    "mann_whitney_ci": _intervals,
    "scorer": _scores,
    "score_thresholds": _thresholds,
    "kayenta_score_mapping": _kayenta_in_argo,
    "single_measurement": _single,
    "metric_status": _measured,
    "run_status": _runs,
    "severity": _severity,
}
