"""The deployment queues as text: who is deploying, who is queued, and when each is likely to start."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.deployments.queueing import QueueEstimate, ServiceQueue
from bot.domain.formatting import about
from bot.views.limits import TEXT_CHARS, bold, cut_lines, prose
from bot.views.phrases import (
    who,
)


def queue_text(queues: Sequence[ServiceQueue], *, service: str) -> str:
    """Return the queues as text; ``service`` is the one that was asked about, empty for all."""
    if queues:
        return cut_lines("\n".join(line for queue in queues for line in _lines(queue)), TEXT_CHARS)
    where = f" for `{prose(service, 140)}`" if service else ""
    return f"Nothing is deploying or queued{where}."


def _lines(queue: ServiceQueue) -> list[str]:
    holding = sum(place.turn.holds for place in queue.places)
    rows = [_row(at - holding + 1, place) for at, place in enumerate(queue.places)]
    more = [f"… and {queue.more} more behind them."] if queue.more else []
    return [bold(f"`{queue.service}`", 150), *rows, *more]


def _row(number: int, place: QueueEstimate) -> str:
    turn = place.turn
    what = f"{who(turn.by)}: {prose(f'{turn.strategy} {turn.version}'.strip())}"
    if turn.holds:
        since = "" if turn.since_s is None else f", running for {about(turn.since_s)}"
        return f"▶️ {what}{since}" + ("; waiting for a decision." if turn.asks else ".")
    if place.begins_in_s is None:
        return f"{number}. {what}; start time unknown."
    return f"{number}. {what}; starts in about {about(place.begins_in_s)}."
