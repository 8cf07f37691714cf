"""Recorded runs of the demo's scenarios: played once, read as often as needed."""

from __future__ import annotations

import gzip
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.alerts import RedisAlertStore
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.event import Event
from bot.domain.runs.journal import export_line, import_line
from bot.domain.runs.run import fold
from demo.scenarios.deploying import roll_out
from demo.scenarios.play import play, settle, warm_up
from demo.scenarios.rollouts import RolloutScenario
from demo.scenarios.scenarios import IncidentScenario
from demo.scenarios.stage import DemoStage, stage
from demo.scenarios.waiting import DemonstrationError
from demo.scenarios.world import running

RECORDED = Path(__file__).parent / "recorded"
"""One file for each scenario: its run's journal, in the format of ``pilothouse runs export``, compressed."""
_ENDING = ".jsonl.gz"
_WATCH_S = 10.0


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """The journal of the run that a scenario led to."""

    scenario: str
    run_id: str
    events: tuple[Event, ...]
    alert: Alert | None = None
    """The alert that it began from, whose message is the first of its thread."""


def read_recordings(folder: Path) -> Iterator[RecordedRun]:
    """Return the recorded runs of a folder, by name; ``.jsonl`` files are read too.

    A file's first line is the run, its second, if there is one, the alert.
    """
    for file in sorted((*folder.glob(f"*{_ENDING}"), *folder.glob("*.jsonl"))):
        data = file.read_bytes()
        text = (gzip.decompress(data) if file.name.endswith(_ENDING) else data).decode()
        first, *rest = filter(str.strip, text.splitlines())
        run_id, events = import_line(first)
        alert = Alert.model_validate_json(rest[0]) if rest else None
        yield RecordedRun(scenario=file.name.partition(".")[0], run_id=run_id, events=events, alert=alert)


def write_recording(folder: Path, recorded: RecordedRun) -> None:
    """Store a recorded run; the same run gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [export_line(recorded.run_id, recorded.events)]
    lines += [] if recorded.alert is None else [recorded.alert.model_dump_json()]
    text = "".join(f"{line}\n" for line in lines)
    (folder / f"{recorded.scenario}{_ENDING}").write_bytes(gzip.compress(text.encode(), mtime=0))


async def play_all(
    scenarios: Sequence[IncidentScenario | RolloutScenario],
) -> AsyncIterator[RecordedRun]:
    """Play scenarios in one demo and return the journals; one that breaks off is reported and left out."""
    async with running(watch_s=_WATCH_S) as world, stage(world) as on:
        await warm_up(on)
        for number, one in enumerate(scenarios):
            try:
                if number:
                    await settle(on)
                run_id = await _played(on, one)
            except DemonstrationError as error:
                print(f"{one.name}: {error}", file=sys.stderr, flush=True)
                continue
            yield await _recorded(on, one.name, run_id)


async def _played(on: DemoStage, one: IncidentScenario | RolloutScenario) -> str:
    report = await (roll_out(on, one) if isinstance(one, RolloutScenario) else play(on, one))
    print(f"{one.name}: {'right' if report.right else 'WRONG'}", file=sys.stderr, flush=True)
    return report.run_id


async def _recorded(on: DemoStage, scenario: str, run_id: str) -> RecordedRun:
    events = await on.journal.load(run_id)
    alert_id = fold(run_id, events).origin.alert
    store = connect(on.world.redis_url)
    try:
        alert = await RedisAlertStore(store).get(alert_id) if alert_id else None
    finally:
        await store.aclose()
    return RecordedRun(scenario=scenario, run_id=run_id, events=events, alert=alert)
