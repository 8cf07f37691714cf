"""Restarts a service through its supervisor."""

from __future__ import annotations

from urllib.parse import quote

from bot.actions._shared.targets import change_of, field_of, settings_of, write
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action


@action(specialist="processes", in_doubt="retry")
async def restart(ctx: Context, *, service: str) -> ActionResult:
    """Restart ``service`` at its current version; requests in flight may fail.

    The supervisor honours the idempotency key: two requests cause one restart.

    Raises:
        ActionFailedError: the supervisor cannot be reached or refused; nothing was restarted.
        ActionInDoubtError: the supervisor got the request and did not answer clearly.
        StaleEpochError: the supervisor has seen a newer owner of this run.
    """
    settings = settings_of(ctx, service, where="target", kind="supervisor")
    base = field_of(settings, "url", service=service, kind="supervisor").rstrip("/")
    await write(ctx, "POST", f"{base}/services/{quote(service, safe='')}/restart", body={})
    summary = f"{service} was restarted"
    return ActionResult(
        summary=summary, change=change_of(ctx, kind="restart", service=service, summary=summary)
    )
