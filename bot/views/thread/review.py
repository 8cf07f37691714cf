"""The modal behind *Review*: what waits for a decision, why, what it risks, and the buttons to decide."""

from __future__ import annotations

from datetime import datetime

from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Pipeline
from bot.views import ids
from bot.views.blocks import button, section
from bot.views.modals import modal
from bot.views.thread.diagnosis import cause_in_root
from bot.views.thread.request import own_request_blocks


def review_button(run: Run) -> JsonObject | None:
    """Return the button that opens the review; none while nothing waits for a decision."""
    if run.waiting_for is None:
        return None
    return button("Review", action_id=ids.REVIEW, value=run.id, style="primary")


def review_modal(run: Run, *, now: datetime, viewer: str = "", approval_id: str = "") -> JsonObject:
    """Return what waits for a decision, with its buttons while they count for this ``viewer``, by id.

    With ``approval_id`` it shows that request, also after its decision.
    """
    gate = run.approvals.get(approval_id, run.waiting_for)
    phase = next((one for one in run.runbook.phases if gate is not None and one.id == gate.phase), None)
    if gate is None or not isinstance(phase, Pipeline):
        blocks = [section("Nothing waits for a decision any more. The thread shows what was decided.")]
        return modal(ids.REASONS, title="Review", blocks=blocks, close="Close")
    top = run.diagnosis.top if run.diagnosis is not None else None
    cause = [section(cause_in_root(run, top))] if top is not None else []
    blocks = [*cause, *own_request_blocks(run, gate, viewer=viewer, now=now)]
    return modal(ids.REASONS, title="Review", blocks=blocks, close="Close")
