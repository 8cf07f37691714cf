"""Whether the evidence of each cause is there and is anomalous, looked up in the raw telemetry.

The check knows nothing of the ranking's numerics: a series is anomalous if its median since the onset lies
outside the middle 90 % of what it was before, a count if it differs from what was to be expected by a
likelihood ratio test at 5 %, and time lost on the wire if it is at least 10 ms.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import numpy as np

from bot.diagnosis.offline.case import Telemetry
from bot.domain.diagnoses.diagnosis import Cause, Diagnosis
from bot.domain.diagnoses.finding import Finding, FindingKind

_CHI_SQUARE = 3.84
_LOST_MS = 10.0
_COUNTS = frozenset(
    {FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_VANISHED, FindingKind.CALLS_VANISHED}
)


def checked(diagnosis: Diagnosis, case: Telemetry) -> Counter[str]:
    """Count the evidence of all causes that ``holds``, or is ``dangling``, ``foreign`` or as ``usual``."""
    by_id = {finding.id: finding for finding in diagnosis.findings}
    return Counter(
        _verdict(cause, by_id.get(each), case) for cause in diagnosis.causes for each in cause.evidence
    )


def _verdict(cause: Cause, finding: Finding | None, case: Telemetry) -> str:
    if finding is None:
        return "dangling"
    if finding.service != cause.service:
        return "foreign"
    return "holds" if _is_anomalous(finding, case) else "usual"


def _is_anomalous(finding: Finding, case: Telemetry) -> bool:
    if finding.kind in _COUNTS:
        return _deviance(finding) >= _CHI_SQUARE
    if finding.kind is FindingKind.SPAN_LAG:
        return _number(finding, "value") >= _LOST_MS
    return any(_has_left(series, case, since=finding.began_at) for series in _series(finding, case))


def _deviance(finding: Finding) -> float:
    seen, expected = _number(finding, "value"), max(_number(finding, "baseline"), 0.5)
    return 2 * ((seen * math.log(seen / expected) if seen else 0.0) - (seen - expected))


def _number(finding: Finding, key: str) -> float:
    value = finding.data.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _series(finding: Finding, case: Telemetry) -> Iterable[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    for place, column in enumerate(case.columns):
        if (column.service, column.metric) == (finding.service, finding.data.get("metric")):
            yield case.values[:, place]


def _has_left(
    series: np.ndarray[tuple[int], np.dtype[np.float64]], case: Telemetry, *, since: datetime | None
) -> bool:
    if since is None:
        return False
    late = case.times_s >= since.timestamp()
    before, after = series[~late], series[late]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if not before.size or not after.size:
        return False
    low, high = np.quantile(before, (0.05, 0.95))
    return not low <= float(np.median(after)) <= high
