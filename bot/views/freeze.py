"""The message of a freeze: that nothing can be deployed, what, why and until when; then that it is over."""

from __future__ import annotations

from bot.domain.board import DesiredMessage
from bot.domain.deployments.freezes_in_force import FreezeInForce
from bot.domain.formatting import listed
from bot.views.blocks import context, message, section
from bot.views.limits import code, prose
from bot.views.phrases import GOOD, local_day, sentence

_MOST_NAMED = 12


def freeze_message(found: FreezeInForce, *, over: bool) -> DesiredMessage:
    """Return the message of a freeze; once it is ``over`` it is only kept up to date."""
    name, ends = code(found.freeze.id, 80), local_day(found.window.ends)
    services = listed([code(service, 140) for service in found.services], most=_MOST_NAMED)
    if over:
        blocks = [
            section(f"{GOOD} The freeze {name} ended {ends}. Deployments of {services} may start again.")
        ]
    else:
        why = sentence(prose(found.freeze.reason, 400))
        blocks = [
            section(f"❄️ *The freeze* {name} *is in force until* {ends}: {why}"),
            context(f"No deployment of {services} can start before that", "`/deploy why` shows more"),
        ]
    made = message("freeze", blocks, names={}, urgent=over)
    return made.model_copy(update={"only_edit": over})
