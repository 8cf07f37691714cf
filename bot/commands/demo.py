"""``python -m bot demo``: the whole loop on this machine, to click through or played by script."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys

from bot.demonstration.play import play, settle, warm_up
from bot.demonstration.report import Report
from bot.demonstration.scenarios import SCENARIOS, Scenario, scenario
from bot.demonstration.stage import stage
from bot.demonstration.world import World, running

NAME = "demo"
SUMMARY = "Bring up a shop, a local Slack and the bot; break the shop and watch it being mended."
SLACK_PORT = 8900


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--list", action="store_true", help="name the scenarios and end")
    parser.add_argument("--scenario", metavar="NAME", help="play this scenario (or `all`) by script and end")
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object (`all`: one a line)"
    )
    parser.add_argument(
        "--start",
        choices=("button", "command", "mention"),
        default="button",
        help="how the triage is asked for",
    )
    parser.add_argument(
        "--port", type=int, default=SLACK_PORT, help=f"port of the page ({SLACK_PORT}; 0: a free one)"
    )
    parser.add_argument(
        "--watch",
        type=float,
        default=None,
        metavar="S",
        help="seconds to watch after a fix (60; by script 5)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demonstration."""
    if arguments.list:
        for known in SCENARIOS:
            print(f"{known.name:20} {known.summary}")
        return 0
    if arguments.scenario:
        chosen = SCENARIOS if arguments.scenario == "all" else (scenario(arguments.scenario),)
        return asyncio.run(_played(chosen, arguments))
    return asyncio.run(_shown(arguments))


async def _played(chosen: tuple[Scenario, ...], arguments: argparse.Namespace) -> int:
    good = True
    async with running(slack_port=0, watch_s=arguments.watch or 5) as world, stage(world) as on:
        _say("Everything is up; letting the shop trade for a while …")
        await warm_up(on)
        for number, one in enumerate(chosen):
            if number:
                await settle(on)
            _say(f"{one.name}: {one.summary} …")
            report = await play(on, one, start=arguments.start)
            good = good and _good(one, report)
            print(report.model_dump_json() if arguments.json else _told(report), flush=True)
    return 0 if good else 1


def _good(one: Scenario, report: Report) -> bool:
    mended = report.verified if one.cause is not None else not report.writes
    return report.right and mended and report.writes_without_approval == 0


def _told(report: Report) -> str:
    data = json.dumps(report.model_dump(mode="json", exclude={"thread"}), indent=2)
    return f"{report.thread}\n\n{data}"


async def _shown(arguments: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    _say("Starting Valkey, a local Slack, the shop and the bot …")
    async with running(slack_port=arguments.port, watch_s=arguments.watch or 60) as world:
        print(_guide(world), flush=True)
        await stop.wait()
        _say("Stopping …")
    return 0


def _guide(world: World) -> str:
    slack = world.slack_url.rstrip("/")
    return f"""
Pilothouse is running.

  Slack, as Ana   {slack}/?user=U0ANA00001
  Slack, as Ben   {slack}/?user=U0BEN00001      (a second tab: nobody approves their own request)
  The shop        {world.shop_url}      (its map, and the faults to switch on)

Try this:
  1. On the shop's page switch on *bad-release*.  In a few seconds an alert is in #checkout-oncall.
  2. As Ana click *Triage* there, or type  /triage checkout
  3. As Ben open the thread and click *Approve*.  Watch the shop recover.

Logs are in {world.folder}.  Ctrl-C ends everything.
"""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
