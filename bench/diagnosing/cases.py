"""Public cases with known causes, in a folder: ``SPLIT/SYSTEM/CASE/`` and ``truth/SPLIT.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.files.case_folder import read_case
from bot.diagnosis.offline.case import Telemetry

SYSTEMS = ("petshop", "nezha-ob", "nezha-tt")


@dataclass(frozen=True, kw_only=True)
class Known:
    """A case and its label; ``service`` is none where nothing was wrong."""

    name: str
    system: str
    folder: Path
    service: str | None
    metrics: tuple[str, ...]
    """The metrics that would rightly be named; none where that is not labelled."""
    fault: str
    onset_s: float

    def read(self) -> Telemetry:
        """Read what a ranker may see."""
        return read_case(self.folder)

    def names(self, service: str, metric: str) -> bool:
        """Whether this is the metric to be named."""
        return service == self.service and any(
            metric == each or metric.startswith(f"{each}_from") for each in self.metrics
        )


def known_cases(data: Path, *, split: str = "dev") -> Iterator[Known]:
    """List the cases of a split, by name."""
    truth = json.loads((data / "truth" / f"{split}.json").read_text(encoding="utf-8"))
    for name, label in sorted(truth.items()):
        system = name.partition("/")[0]
        if system in SYSTEMS:
            yield Known(
                name=name,
                system=system,
                folder=data / split / name,
                service=label["service"],
                metrics=tuple(label.get("metrics") or ()),
                fault=label.get("fault") or "",
                onset_s=float(label.get("inject_time") or label.get("pseudo_time")),
            )
