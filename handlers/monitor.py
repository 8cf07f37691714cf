"""`/monitor`: show, pause, mute and test monitors."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.intent import (
    AnyMonitorIntent,
    MuteMonitor,
    PauseMonitor,
    ResumeMonitor,
    TryMonitor,
    UnmuteMonitor,
)
from bot.domain.reading import ReadingRight
from bot.services.parsing.monitors import MonitorRequest, parse_monitor_words
from bot.views.answers import help_text
from bot.views.monitor import monitor_card, monitor_list
from handlers.context import HandlerContext
from handlers.payloads import Payload, person_of, place_of

COMMAND = "/monitor"
USAGE = "list | show | test | pause | resume | mute | unmute <service/monitor> [2h]"
SUMMARY = "See the state of the monitors; pause, mute or test one"

READS = frozenset({"list", "show"})
"""The verbs that are answered from the stores; the others are carried out by a worker."""
_HELP = frozenset({"", "help", "-h", "--help", "?"})
_COMMANDS = (
    ("list [service]", "List the monitors, one line each, worst first."),
    ("show <service/monitor>", "Show everything about one: what it checks, when, and what it saw."),
    ("test <service/monitor>", "Check now and show the result only to you; nothing is recorded."),
    ("pause <service/monitor> [2h]", "Stop checking, for this long or until resumed."),
    ("resume <service/monitor>", "Start checking again."),
    ("mute <service/monitor> <2h>", "Keep checking, but post no new alerts for this long."),
    ("unmute <service/monitor>", "Post new alerts again."),
)
_KINDS: dict[str, type[AnyMonitorIntent]] = {
    "pause": PauseMonitor,
    "resume": ResumeMonitor,
    "mute": MuteMonitor,
    "unmute": UnmuteMonitor,
    "test": TryMonitor,
}


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the command."""

    def parse(text: str) -> MonitorRequest:
        return parse_monitor_words(text, catalogue=desk.catalogue, command=COMMAND)

    async def monitor(ack: AsyncAck, command: dict[str, Any]) -> None:
        text = (command.get("text") or "").strip()
        if text.casefold() in _HELP:
            await ack(help_text([(f"{COMMAND} {usage}", does) for usage, does in _COMMANDS]))
            return
        if text.split()[0].casefold() in READS:
            right = await desk.reader(person_of(command))  # before an error may name monitors
            await ack(await _read(desk, parse(text), right=right))
            return
        asked = parse(text)
        await desk.submit(_intent(desk, asked, command))
        await ack()

    app.command(COMMAND)(monitor)


async def _read(desk: HandlerContext, asked: MonitorRequest, *, right: ReadingRight) -> str:
    now, known = desk.clock.now(), desk.catalogue.monitors
    if asked.verb == "show":
        right.require(known[asked.name][0])
        (view,) = await desk.monitor_views((asked.name,))
        return monitor_card(view, now=now)
    services = desk.readable(right, asked.name)
    names = [name for name, (service, _) in known.items() if service in services]
    return monitor_list(await desk.monitor_views(names), now=now, command=COMMAND)


def _intent(desk: HandlerContext, asked: MonitorRequest, command: Payload) -> AnyMonitorIntent:
    channel, thread = place_of(command)
    common: dict[str, Any] = {
        "key": command["trigger_id"],
        "at": desk.clock.now(),
        "name": asked.name,
        "by": person_of(command),
        "channel": channel,
        "thread": thread,
    }
    if asked.seconds is not None:
        common["seconds"] = asked.seconds
    return _KINDS[asked.verb](**common)
