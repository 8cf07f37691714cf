"""Who steered a rollout, and when."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.rollouts.canary import Steered, SteeringWord
from bot.views.phrases import capital, local, sentence, who

_DONE: dict[SteeringWord, str] = {
    "promote": "promoted",
    "pause": "paused",
    "resume": "resumed",
    "abort": "aborted",
}


def steered_line(said: Sequence[Steered]) -> str:
    """Return who paused, resumed, promoted or aborted, in order; empty if no one did."""
    return sentence(
        capital(", ".join(f"{_DONE[one.word]} by {who(one.by)} at {local(one.at)}" for one in said))
    )
