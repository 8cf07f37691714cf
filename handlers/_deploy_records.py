"""The sub-words of `/deploy` about what was deployed: history."""

from __future__ import annotations

from bot.engine.gate_words import parse_service
from bot.views.deployment import MOST_LISTED, history_lines
from handlers._deploy_word import Word
from handlers.desk import FrontDesk
from handlers.payloads import Payload


async def _history(desk: FrontDesk, words: list[str], command: Payload) -> str:
    del command  # whoever may read the channel may read this
    service = parse_service(words, catalogue=desk.catalogue, command="/deploy history") if words else ""
    known = await desk.deployed(service, limit=MOST_LISTED)
    return "\n".join(history_lines(known, service=service, now=desk.clock.now()))


WORDS: dict[str, Word] = {
    "history": Word(
        usage="[service]",
        summary="List the latest deployments and rollbacks: what, who, when, how long, how it ended.",
        run=_history,
    ),
}
