"""An app's answers to an act: in its acknowledgement, or at a response URL."""

from __future__ import annotations

from localslack.content import parse_content
from localslack.core import Core
from localslack.delivery import App
from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.tickets import ResponseUrl


def answer_in_ack(core: Core, app: App, body: Json, *, channel: Channel, user: str) -> StoredMessage | None:
    """Post the answer in a command's acknowledgement; return None when it is empty.

    Raises:
        SlackError: the content breaks a limit.
    """
    content = parse_content(body, core.store)
    if content.is_empty:
        return None
    only_for = None if body.get("response_type") == "in_channel" else user
    return core.messenger.post(channel, content, author=app.spec.bot_user, app=app.spec, only_for=only_for)


def answer_at_url(core: Core, ticket: ResponseUrl, body: Json) -> None:
    """Carry out a body that was posted to a response URL.

    Raises:
        SlackError: ``no_text``, ``message_not_found``, or the content breaks a limit.
    """
    app = core.apps[ticket.app_id]
    original = core.store.message(ticket.channel, ticket.message_ts) if ticket.message_ts else None
    if body.get("delete_original"):
        core.messenger.delete(_own(original, app))
        return
    content = parse_content(body, core.store)
    if content.is_empty:
        raise SlackError("no_text")
    if body.get("replace_original"):
        core.messenger.edit(_own(original, app), content)
        return
    core.messenger.post(
        core.store.channels[ticket.channel],
        content,
        author=app.spec.bot_user,
        app=app.spec,
        only_for=None if body.get("response_type") == "in_channel" else ticket.user,
        thread_ts=body.get("thread_ts"),
    )


def _own(original: StoredMessage | None, app: App) -> StoredMessage:
    if original is None or original.app_id != app.spec.id:
        raise SlackError("message_not_found")
    return original
