"""What a store of runs and places promises, as a model so simple that one sees it is right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class ModelRun:
    """One run: how many facts it has, who owns it and whether it waits."""

    facts: list[str] = field(default_factory=lambda: ["start"])
    epoch: int = 0
    state: Literal["ready", "running", "parked", "finished"] = "ready"
    wakes_at_s: int | None = None


class ModelStore:
    """Journals, wake-ups and places; times are seconds from the test's beginning."""

    def __init__(self) -> None:
        self.runs: dict[str, ModelRun] = {}
        self.messages = 0
        self.held: dict[str, list[str]] = {}
        self.waiting: dict[str, list[str]] = {}

    def start(self, run_id: str) -> bool:
        if run_id in self.runs:
            return False
        self.runs[run_id] = ModelRun()
        self.messages += 1
        return True

    def take(self, run_id: str) -> int | None:
        run = self.runs.get(run_id)
        if run is None or run.state == "finished":
            return None
        run.epoch, run.state, run.wakes_at_s = run.epoch + 1, "running", None
        return run.epoch

    def owns(self, run_id: str, epoch: int) -> bool:
        run = self.runs.get(run_id)
        return run is not None and run.state != "finished" and run.epoch == epoch

    def append(self, run_id: str, facts: list[str]) -> int:
        run = self.runs[run_id]
        run.facts += facts
        return len(run.facts)

    def finish(self, run_id: str, fact: str) -> None:
        run = self.runs[run_id]
        run.facts.append(fact)
        run.state, run.wakes_at_s = "finished", None

    def park(self, run_id: str, *, length: int, until_s: int | None) -> bool:
        run = self.runs[run_id]
        if len(run.facts) != length:
            return False
        if run.state != "ready":  # else it was parked and woken: whoever takes it next carries it on
            run.state, run.wakes_at_s = "parked", until_s
        return True

    def wake(self, run_id: str) -> bool:
        run = self.runs.get(run_id)
        if run is None or run.state != "parked":
            return False
        run.state, run.wakes_at_s = "ready", None
        self.messages += 1
        return True

    def interject(self, run_id: str, fact: str, *, length: int, wake: bool) -> bool:
        run = self.runs.get(run_id)
        if run is None or run.state == "finished" or len(run.facts) != length:
            return False
        run.facts.append(fact)
        if wake:
            self.wake(run_id)
        return True

    def pump(self, now_s: int) -> int:
        due = [
            name for name, run in self.runs.items() if run.wakes_at_s is not None and run.wakes_at_s <= now_s
        ]
        return sum(self.wake(run_id) for run_id in due)

    def acquire(self, name: str, run_id: str, *, most: int) -> tuple[set[str], list[str]]:
        """Give the runs that hold what this one wants, and those in line before it; none if it holds it."""
        held, waiting = self.held.setdefault(name, []), self.waiting.setdefault(name, [])
        if run_id in held:
            return set(), []
        if len(held) < most and not waiting:
            held.append(run_id)
            return set(), []
        if run_id not in waiting:
            waiting.append(run_id)
        return set(held), waiting[: waiting.index(run_id)]

    def release(self, run_id: str) -> list[str]:
        heirs: list[str] = []
        for name, held in self.held.items():
            waiting = self.waiting[name]
            if run_id in waiting:
                waiting.remove(run_id)
            if run_id in held:
                held.remove(run_id)
                heirs += waiting[:1]
                held.extend(waiting[:1])
                del waiting[:1]
        return sorted(heirs)
