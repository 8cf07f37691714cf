"""The demonstration to click through, or played by script."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

from demo.scenarios.deploying import RolloutReport, roll_out
from demo.scenarios.play import Start, play, settle, warm_up
from demo.scenarios.report import Report
from demo.scenarios.rollouts import RolloutScenario
from demo.scenarios.scenarios import IncidentScenario
from demo.scenarios.stage import stage
from demo.scenarios.waiting import DemonstrationError
from demo.scenarios.world import DemoWorld, SlackMode, running


async def by_script(
    chosen: tuple[IncidentScenario | RolloutScenario, ...],
    *,
    start: Start,
    as_json: bool,
    watch_s: float,
    slack_mode: SlackMode,
) -> int:
    """Play scenarios one after the other; return 0 if each went as expected."""
    good = True
    async with running(watch_s=watch_s, slack_mode=slack_mode) as world, stage(world) as on:
        _say("Everything is up. Waiting for the shop to serve some traffic …")
        await warm_up(on)
        for number, one in enumerate(chosen):
            if number:
                await settle(on)
            _say(f"{one.name}: {one.summary} …")
            report = await (
                roll_out(on, one) if isinstance(one, RolloutScenario) else play(on, one, start=start)
            )
            good = good and _good(one, report)
            print(report.model_dump_json() if as_json else _told(report), flush=True)
    return 0 if good else 1


def _good(one: IncidentScenario | RolloutScenario, report: Report | RolloutReport) -> bool:
    if isinstance(one, RolloutScenario) or isinstance(report, RolloutReport):
        return report.right
    # Of two faults the remedy fixes one, and the thread reports that it was not enough.
    mended = (report.verified or bool(one.also)) if one.cause is not None else not report.writes
    known = not one.rolled_back or (report.record is not None and report.record.right)
    return report.right and mended and known and report.writes_without_approval == 0


def _told(report: Report | RolloutReport) -> str:
    data = json.dumps(report.model_dump(mode="json", exclude={"thread"}), indent=2)
    return f"{report.thread}\n\n{data}"


async def by_hand(*, port: int, watch_s: float, slack_mode: SlackMode) -> int:
    """Start everything, print where to look, and wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _say("Starting Valkey, a local Slack, the shop and the bot …")
    async with running(slack_port=port, watch_s=watch_s, slack_mode=slack_mode) as world:
        print(_guide(world), flush=True)
        told, broken = asyncio.create_task(stop.wait()), asyncio.create_task(world.roles.broken())
        await asyncio.wait({told, broken}, return_when=asyncio.FIRST_COMPLETED)
        if not told.done():
            raise DemonstrationError(broken.result())
        _say("Stopping …")
        broken.cancel()
    return 0


def _guide(world: DemoWorld) -> str:
    slack = world.slack_url.rstrip("/")
    return f"""
Pilothouse is running.

  Slack, as Ana   {slack}/?user=U0ANA00001
  Slack, as Ben   {slack}/?user=U0BEN00001      (a second tab: you cannot approve your own request)
  The shop        {world.shop_url}      (its map, and the faults that you can switch on)

Try this:
  1. On the shop's page switch on *bad-release*.  Within seconds an alert appears in #checkout-oncall.
  2. As Ana click *Triage* there, or type  /triage checkout
  3. As Ben open the thread and click *Approve*.  Watch the shop recover.

Logs are in {world.folder}.  Ctrl-C stops everything.
"""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
