"""Public cases of alerts with known causes (TVDiag, Wang et al. 2024), from a folder on this machine."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.diagnosis.alerts.case import AlertCase, read_cases
from bot.domain.model import JsonObject

SPLITS = ("dev", "heldout")


@dataclass(frozen=True, kw_only=True)
class Known:
    """A case, which instance was broken, and how; repetitions of one break share a ``group``."""

    case: AlertCase
    culprit: str
    fault: str

    @property
    def group(self) -> str:
        """What must not be on both sides of a split."""
        return f"{self.culprit} {self.fault}"


def known_cases(data_dir: Path, *, split: str = "dev") -> dict[str, list[Known]]:
    """Read every system that has cases of alerts in ``split``; empty when there is none."""
    found: dict[str, list[Known]] = {}
    truth: dict[str, JsonObject] = {}  # one file for all systems, and some for one each
    for path in sorted((data_dir / "truth").glob(f"{split}*.json")):
        truth |= json.loads(path.read_bytes())
    for path in sorted((data_dir / split).glob("*/cases.json.gz")):
        raw = gzip.decompress(path.read_bytes())
        labels = [truth[case["id"]] for case in json.loads(raw)]
        found[path.parent.name] = [
            Known(case=case, culprit=label["service"], fault=label["fault"])
            for case, label in zip(read_cases(raw), labels, strict=True)
        ]
    return found


def hit_rate(ranks: Sequence[float], k: int) -> float:
    """HR@k: the share of cases whose culprit is among the first ``k``."""
    return sum(rank <= k for rank in ranks) / len(ranks)
