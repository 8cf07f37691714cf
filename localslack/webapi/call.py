"""One call of a Web API method: its caller, its arguments, and the small refusals all methods share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from localslack.core import Core
from localslack.delivery import App
from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.workspace import UserSpec

MAX_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call that has passed authentication and the rate tiers. ``args`` come from JSON, form or query."""

    core: Core
    app: App
    args: Json

    @property
    def bot(self) -> str:
        """The user id of the calling app's bot."""
        return self.app.spec.bot_user

    def text(self, name: str) -> str:
        """Return a required argument, as text.

        Raises:
            SlackError: ``invalid_arguments``.
        """
        value = self.args.get(name)
        if value is None or value == "":
            raise missing(name)
        return str(value)

    def maybe(self, name: str) -> str | None:
        """Return an optional argument; None when it is missing or empty."""
        value = self.args.get(name)
        return None if value is None or value == "" else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean argument, in any of the ways clients write one."""
        value = self.args.get(name)
        return default if value is None else str(value).lower() in {"1", "true"}

    def number(self, name: str, *, default: int, most: int = MAX_PAGE) -> int:
        """Return a whole number from 1 to ``most``.

        Raises:
            SlackError: ``invalid_limit``.
        """
        value = self.args.get(name)
        if value is None or value == "":
            return default
        try:
            found = int(value)
        except (TypeError, ValueError) as exc:
            raise SlackError("invalid_limit") from exc
        if not 0 <= found <= most:
            raise SlackError("invalid_limit")
        return found or default

    def names(self, name: str) -> list[str]:
        """Return a list that was sent as an array or with commas."""
        value = self.args.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [part.strip() for part in str(value or "").split(",") if part.strip()]

    def channel(self, name: str = "channel") -> Channel:
        """Return the conversation an argument names, by id or name; not a private one of others.

        Raises:
            SlackError: ``channel_not_found``.
        """
        key = self.text(name)
        bare = key.removeprefix("#")
        every = self.core.store.channels
        found = every.get(key) or next((c for c in every.values() if c.name == bare and not c.is_im), None)
        if found is None or ((found.is_private or found.is_im) and self.bot not in found.members):
            raise SlackError("channel_not_found")
        return found

    def joined(self, name: str = "channel") -> Channel:
        """Return as ``channel``, if the bot is in it.

        Raises:
            SlackError: ``channel_not_found`` or ``not_in_channel``.
        """
        channel = self.channel(name)
        if self.bot not in channel.members:
            raise SlackError("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str = "timestamp") -> StoredMessage:
        """Return a public message of a conversation.

        Raises:
            SlackError: ``message_not_found``.
        """
        found = self.core.store.message(channel.id, self.text(name))
        if found is None or found.only_for is not None:
            raise SlackError("message_not_found")
        return found

    def user(self, name: str = "user") -> UserSpec:
        """Return the user an argument names, by id.

        Raises:
            SlackError: ``user_not_found``.
        """
        found = self.core.store.users.get(self.text(name))
        if found is None:
            raise SlackError("user_not_found")
        return found

    def page(self, items: list[Json], key: str, *, default: int = 100) -> Json:
        """Return one page of a list, with the cursor of the next.

        Raises:
            SlackError: ``invalid_cursor`` or ``invalid_limit``.
        """
        start = self.offset()
        limit = self.number("limit", default=default)
        more = start + limit < len(items)
        return {
            "ok": True,
            key: items[start : start + limit],
            "response_metadata": {"next_cursor": cursor(start + limit) if more else ""},
        }

    def offset(self) -> int:
        """Return where the page that ``cursor`` names begins.

        Raises:
            SlackError: ``invalid_cursor``.
        """
        given = self.maybe("cursor")
        if given is None:
            return 0
        try:
            return int(base64.b64decode(given, validate=True).decode().removeprefix("next:"))
        except (binascii.Error, ValueError) as exc:
            raise SlackError("invalid_cursor") from exc


Method: TypeAlias = Callable[[ApiCall], Json]
"""Carries out a call and answers with a JSON object, ``ok`` included; raises SlackError to refuse."""


def cursor(offset: int) -> str:
    """Return the cursor of the page that begins at ``offset``."""
    return base64.b64encode(f"next:{offset}".encode()).decode()


def missing(name: str) -> SlackError:
    """Return the refusal for a missing required argument."""
    return SlackError(
        "invalid_arguments",
        response_metadata={"messages": [f"[ERROR] missing required field: {name} [json-pointer:/{name}]"]},
    )
