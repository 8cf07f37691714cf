"""The modal behind *Reject*: asks for the reason, which everyone can read in the thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain.deployments.freeze import MOST_REASON
from bot.domain.model import JsonObject
from bot.views import ids
from bot.views.blocks import section
from bot.views.modals import field, modal


def rejection_modal(*, private_metadata: str) -> JsonObject:
    """Return the modal that asks why a request is rejected; the reason is optional.

    Raises:
        ValueError: ``private_metadata`` is longer than Slack allows.
    """
    reason: JsonObject = {
        "type": "plain_text_input",
        "action_id": ids.TEXT_INPUT,
        "multiline": True,
        "max_length": MOST_REASON,
    }
    return modal(
        ids.REJECTION,
        title="Reject",
        submit="Reject",
        close="Not yet",
        private_metadata=private_metadata,
        blocks=[
            section("The plan will not be carried out."),
            field(ids.TEXT_BLOCK, "Why? It is shown in the thread", reason, optional=True),
        ],
    )


def reason_of(values: Mapping[str, Any]) -> str:
    """Return the reason of a submission's ``view.state.values``; empty if none was given."""
    return str(values[ids.TEXT_BLOCK][ids.TEXT_INPUT].get("value") or "").strip()[:MOST_REASON]
