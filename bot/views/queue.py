"""Who changes a service now, who waits behind whom, and when each is likely to begin, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.deployments.queueing import QueueEstimate, ServiceQueue
from bot.domain.formatting import about
from bot.views.limits import TEXT_CHARS, bold, cut_lines, prose
from bot.views.phrases import (
    who,
)


def queue_text(queues: Sequence[ServiceQueue], *, service: str) -> str:
    """Say who is in the queues; ``service`` is the one that was asked about, empty for all."""
    if queues:
        return cut_lines("\n".join(line for queue in queues for line in _lines(queue)), TEXT_CHARS)
    where = f"`{prose(service, 140)}`" if service else "any service"
    return f"Nobody is changing {where} now, and nobody waits to."


def _lines(queue: ServiceQueue) -> list[str]:
    holding = sum(place.turn.holds for place in queue.places)
    rows = [_row(at - holding + 1, place) for at, place in enumerate(queue.places)]
    more = [f"… and {queue.more} more behind them."] if queue.more else []
    return [bold(f"`{queue.service}`", 150), *rows, *more]


def _row(number: int, place: QueueEstimate) -> str:
    turn = place.turn
    what = f"{who(turn.by)}: {prose(f'{turn.strategy} {turn.version}'.strip())}"
    if turn.holds:
        since = "" if turn.since_s is None else f", since {about(turn.since_s)}"
        return f"▶️ {what}{since}" + ("; it waits for a person's word." if turn.asks else ".")
    if place.begins_in_s is None:
        return f"{number}. {what}; when it begins is not known."
    return f"{number}. {what}; begins in about {about(place.begins_in_s)}."
