"""Why our verdict differs from that of another project, and which of their cases are not about verdicts."""

from __future__ import annotations

_UNSURE = "passed there because harm is not sure; here it is not ruled out either, so a person is asked"
_WANTED = f"{_UNSURE}; whoever reported it wanted it caught"
_FIVE = "the same five values on both sides: so few do not rule out that it is half as bad again"
_UNMEASURED = "nothing was measured, which is never a pass here"
_NOTHING_COUNTS = "nothing that counts was judged, which is never a pass here"
_NO_SCORE = "no data scores 0 there and stops; here a person is asked, or it stops if the policy says so"
_IN_FLIGHT = "nothing has been measured yet, and is told as such until it has"
_UNDECIDED = "undecided measurements are no values of a limit here"
_UNREAD = "errors one by one are values that are missing here; either way a person is asked"
_NAN = "NaN is no data here, neither good nor bad"

REASONS: dict[str, tuple[str, str]] = {
    "kayenta-classifier-08": (
        "pass",
        "High there is left over by a root finder; the exact interval is [0, 0]",
    ),
    "kayenta-classifier-11": ("inconclusive", _UNSURE),
    "kayenta-classifier-19": ("inconclusive", _UNSURE),
    "kayenta-classifier-22": ("inconclusive", _FIVE),
    "kayenta-classifier-26": ("no_data", _UNMEASURED),
    "user-1": ("inconclusive", _WANTED),
    "user-2": ("inconclusive", _WANTED),
    "user-3": ("inconclusive", _WANTED),
    "user-5": ("inconclusive", _WANTED),
    "pipecd-cmp-2": ("inconclusive", _FIVE),
    "pipecd-cmp-7": (
        "inconclusive",
        "five samples with one outlier: the interval still holds no shift at all",
    ),
    "kayenta-scorer-03": ("ask", _NO_SCORE),
    "kayenta-scorer-04": ("ask", "one metric has no data; passing the rest is a silent pass of it"),
    "kayenta-scorer-12": ("ask", _NO_SCORE),
    "argo-measure-12": ("no_data", _NAN),
    "argo-measure-13": ("no_data", _NAN),
    "argo-measure-14": ("no_data", _NAN),
    "argo-measure-15": ("error", "an infinite value is no measurement, and passes nothing"),
    "argo-metric-02": ("no_data", _IN_FLIGHT),
    "argo-metric-23": ("no_data", _UNDECIDED),
    "argo-metric-24": ("no_data", _UNDECIDED),
    "argo-metric-25": ("no_data", _UNREAD),
    "argo-metric-26": ("no_data", _UNREAD),
    "argo-metric-30": ("no_data", _UNDECIDED),
    "argo-metric-31": ("no_data", _UNREAD),
    "argo-run-8": ("ask", _NOTHING_COUNTS),
    "argo-run-9": ("ask", _NOTHING_COUNTS),
    "argo-run-11": ("ask", _NOTHING_COUNTS),
    "argo-run-13": ("ask", _NOTHING_COUNTS),
}
"""By case: what we say, and why; it explains no other difference."""

OUTSIDE: dict[str, str] = {
    "outlier_detector": "no outliers are removed: ranks are not moved by them",
    "transform": "what is missing is left out, never replaced",
    "statistics": "summary statistics, of which the verdict uses none",
    "analysis_windows": "when to look, which is the caller's",
    "no_data_backfill": "nothing is filled in",
    "end_to_end_generators": "ranges for random data, no data",
    "pipecd_mann_whitney": "p-values, of which the verdict uses none; an interval decides",
    "scheduling": "when to look, which is the caller's",
    "validation": "the fields of another configuration language",
    "flagger_weight_progression": "traffic steps, which belong to the strategy",
    "flagger_phase": "the life of a rollout, which belongs to the strategy",
}
"""By kind of case: why it is not compared."""


def because(case: str, ours: str) -> str:
    """Explain that we say ``ours`` of a case; empty where that is not explained."""
    said, why = REASONS.get(case, ("", ""))
    return why if said == ours else ""
