"""The track of raw telemetry: which service, which metric, since when, how sure, and how fast."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.diagnosing.cases import Known, known_cases
from bench.diagnosing.fitting import Example, by_hand, fit
from bench.diagnosing.grounds import checked
from bench.diagnosing.peers import TOLD, UNTOLD, Series
from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.offline.findings import cause_first, metric_of
from bot.diagnosis.offline.reading import read
from bot.diagnosis.origins.ranking import OriginEvidence, ground_of, places_on
from bot.diagnosis.origins.weights import OriginWeights, shipped
from bot.diagnosis.ranking.causes import diagnosis_of
from bot.domain.diagnoses.diagnosis import OriginCandidate
from bot.domain.diagnoses.finding import Finding

NAME = "telemetry"
_RECALL = 0.95
_HIGH = 0.8
_WITH, _WITHOUT = "with the onset", "without the onset"
GOALS: Mapping[str, Mapping[str, float]] = {
    "petshop": {"AC@1": 0.80, "AC@3": 0.92, "false alarms": 0.05},
    "nezha-ob": {"AC@1": 0.85, "AC@3": 0.92, "false alarms": 0.35, "metric AC@1": 0.92},
    "nezha-tt": {"AC@1": 0.60, "AC@3": 0.80},
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one ranker said of one case."""

    known: Known
    services: tuple[str, ...]
    metric: tuple[str, str]
    confidence: float

    @property
    def rank(self) -> int | None:
        """The place of the true service, from 1 on."""
        return self.services.index(self.known.service) + 1 if self.known.service in self.services else None


def measure(data: Path, *, split: str = "dev") -> dict[str, Any]:
    """Rank each case with and without its onset, by the weights that ship and by those of other systems."""
    cases = [(known, known.read()) for known in known_cases(data, split=split)]
    weights, start = shipped(), by_hand()
    found = {mode: _gathered(cases, weights, told=mode == _WITH) for mode in (_WITH, _WITHOUT)}
    result: dict[str, Any] = {"goals": {system: dict(goals) for system, goals in GOALS.items()}}
    for mode, examples in found.items():
        result[mode] = summary([_answer(known, each, weights) for known, each in examples])
    result["the diagnosis"] = {mode: _diagnosed(cases, told=mode == _WITH) for mode in found}
    result["cross-validated"] = _crossed(found, start=start)
    result["peers, with the onset"] = {
        name: summary([_of_peer(known, ranker(case, onset_s=known.onset_s)) for known, case in cases])
        for name, ranker in TOLD.items()
    }
    result["peers, without the onset"] = {
        name: summary([_of_peer(known, ranker(case)) for known, case in cases])
        for name, ranker in UNTOLD.items()
    }
    result["a case, as a process"] = _cost([known for known, _ in cases])
    return result


def _gathered(
    cases: Sequence[tuple[Known, Telemetry]], weights: OriginWeights, *, told: bool
) -> list[tuple[Known, OriginEvidence]]:
    return [
        (known, ground_of(read(case, weights=weights, onset_s=known.onset_s if told else None).scene))
        for known, case in cases
    ]


def _diagnosed(cases: Sequence[tuple[Known, Telemetry]], *, told: bool) -> dict[str, Any]:
    """Judge what a triage would say: the service of its first cause, its verdict, and its evidence."""
    first: dict[str, list[bool]] = {}
    sure: list[bool] = []
    evidence: Counter[str] = Counter()
    for known, case in cases:
        seen = read(case, weights=shipped(), onset_s=known.onset_s if told else None)
        diagnosis = diagnosis_of(seen.scene, weights=shipped())
        right = bool(diagnosis.causes) and diagnosis.causes[0].service == known.service
        if known.service is not None:
            first.setdefault(known.system, []).append(right)
        if diagnosis.top is not None:
            sure.append(right)
        evidence += checked(diagnosis, case)
    return {
        "first cause AC@1": {system: _share(each) for system, each in sorted(first.items())},
        "of those called found, right": f"{sum(sure)} of {len(sure)}",
        "evidence that resolves and is anomalous": f"{evidence['holds']} of {evidence.total()}",
    }


def _answer(known: Known, ground: OriginEvidence, weights: OriginWeights) -> Answer:
    places = places_on(ground, weights=weights)
    first = places[0] if places else None
    shown = cause_first(_evidence(ground, first)) if first else []
    return Answer(
        known=known,
        services=tuple(place.service for place in places),
        metric=(first.service, metric_of(shown[0]) if shown else "") if first else ("", ""),
        confidence=first.confidence if first else 0.0,
    )


def _evidence(ground: OriginEvidence, place: OriginCandidate) -> list[Finding]:
    by_id = {finding.id: finding for finding in ground.found[place.service].values()}
    return [by_id[each] for each in place.evidence]


def _crossed(
    found: Mapping[str, Sequence[tuple[Known, OriginEvidence]]], *, start: OriginWeights
) -> dict[str, dict[str, Any]]:
    """Judge each system by weights that were fitted to the other ones alone."""
    answers: dict[str, list[Answer]] = {mode: [] for mode in found}
    for system in sorted({known.system for examples in found.values() for known, _ in examples}):
        others = [
            Example(system=known.system, service=known.service, found=each)
            for examples in found.values()
            for known, each in examples
            if known.system != system
        ]
        weights = fit(others, start=start)
        for mode, examples in found.items():
            own = [(known, each) for known, each in examples if known.system == system]
            answers[mode].extend(_answer(known, each, weights) for known, each in own)
    return {mode: summary(said) for mode, said in answers.items()}


def _of_peer(known: Known, series: Series) -> Answer:
    services = tuple(dict.fromkeys(service for service, _, _ in series))
    best = series[0] if series else ("", "", 0.0)
    return Answer(known=known, services=services, metric=best[:2], confidence=best[2])


def summary(answers: Sequence[Answer]) -> dict[str, Any]:
    """Sum the answers up, system by system, and how right the sure ones are over all."""
    systems = sorted({answer.known.system for answer in answers})
    sure = [answer for answer in answers if answer.confidence >= _HIGH]
    right = sum(answer.rank == 1 for answer in sure)
    return {
        **{system: _of_system([a for a in answers if a.known.system == system]) for system in systems},
        f"of {len(sure)} with a confidence of {_HIGH} or more, right": round(right / max(len(sure), 1), 3),
    }


def _of_system(answers: Sequence[Answer]) -> dict[str, Any]:
    faults = [answer for answer in answers if answer.known.service is not None]
    quiet = [answer.confidence for answer in answers if answer.known.service is None]
    labelled = [answer for answer in faults if answer.known.metrics]
    threshold = float(np.percentile([answer.confidence for answer in faults], 100 * (1 - _RECALL)))
    figures: dict[str, Any] = {"cases": len(faults)}
    for most in (1, 3, 5):
        figures[f"AC@{most}"] = _share([a.rank is not None and a.rank <= most for a in faults])
    if labelled:
        figures["metric AC@1"] = _share([a.known.names(*a.metric) for a in labelled])
    if quiet:
        figures["false alarms"] = _share([confidence >= threshold for confidence in quiet])
    return figures


def _share(outcomes: Sequence[bool]) -> float:
    return round(sum(outcomes) / len(outcomes), 3)


_METER = """
import resource, sys
from bot.__main__ import main
main(["rank", *sys.argv[1:]])
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as status:
    (peak_kb,) = [line.split()[1] for line in status if line.startswith("VmHWM:")]
print(f"{used.ru_utime + used.ru_stime} {int(peak_kb) / 1024}", file=sys.stderr)
"""
# Of the process itself: what getrusage tells of memory is inherited from the process that started it.


def _cost(cases: Sequence[Known]) -> dict[str, float]:
    """Run the command on the first case of each system: seconds from start to end, and the most memory."""
    seconds, megabytes, cpu = [], [], []
    for system in sorted({known.system for known in cases}):
        known = next(each for each in cases if each.system == system and each.service)
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _METER, str(known.folder)], capture_output=True, text=True, check=True
        )
        seconds.append(time.perf_counter() - began)
        json.loads(done.stdout)
        used, memory = done.stderr.split()[-2:]
        cpu.append(float(used))
        megabytes.append(float(memory))
    return {
        "seconds, at most": round(max(seconds), 2),
        "CPU seconds, at most": round(max(cpu), 2),
        "MB, at most": round(max(megabytes), 0),
    }
