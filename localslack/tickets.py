"""Short-lived tickets for an app: trigger ids, response URLs, upload URLs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from localslack.clock import WorkspaceClock
from localslack.errors import SlackError

RESPONSE_USES = 5


@dataclass(slots=True)
class Trigger:
    """Permission to open one modal for ``user``. ``view_id`` is the modal the act happened in, if any."""

    user: str
    app_id: str
    expires: float
    view_id: str | None = None
    is_used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Permission to answer an act: where it happened, and how often it may still be used."""

    app_id: str
    user: str
    channel: str
    expires: float
    message_ts: str | None
    is_ephemeral: bool
    uses_left: int = RESPONSE_USES


class Tickets:
    """Issues trigger ids and response URLs, and redeems them."""

    def __init__(self, clock: WorkspaceClock, *, trigger_ttl_s: float, response_url_ttl_s: float) -> None:
        self._clock = clock
        self._trigger_ttl_s = trigger_ttl_s
        self._response_url_ttl_s = response_url_ttl_s
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, ResponseUrl] = {}

    def trigger(self, *, user: str, app_id: str, view_id: str | None = None) -> str:
        """Return a new trigger id."""
        key = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**10)}.{secrets.token_hex(16)}"
        expires = self._clock.monotonic() + self._trigger_ttl_s
        self._triggers[key] = Trigger(user=user, app_id=app_id, expires=expires, view_id=view_id)
        return key

    def exchange(self, key: str, *, app_id: str) -> Trigger:
        """Use up a trigger id.

        Raises:
            SlackError: ``invalid_trigger_id``, ``expired_trigger_id`` or ``exchanged_trigger_id``.
        """
        trigger = self._triggers.get(key)
        if trigger is None or trigger.app_id != app_id:
            raise SlackError("invalid_trigger_id")
        if trigger.is_used:
            raise SlackError("exchanged_trigger_id")
        if self._clock.monotonic() > trigger.expires:
            raise SlackError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def response_path(
        self,
        *,
        app_id: str,
        user: str,
        channel: str,
        message_ts: str | None = None,
        is_ephemeral: bool = False,
    ) -> str:
        """Return the path of a new response URL, without the server."""
        key = secrets.token_urlsafe(18)
        self._responses[key] = ResponseUrl(
            app_id=app_id,
            user=user,
            channel=channel,
            expires=self._clock.monotonic() + self._response_url_ttl_s,
            message_ts=message_ts,
            is_ephemeral=is_ephemeral,
        )
        return f"/respond/{app_id}/{key}"

    def response(self, key: str) -> ResponseUrl:
        """Use a response URL once more.

        Raises:
            SlackError: ``invalid_url``, ``expired_url`` or ``used_url``.
        """
        found = self._responses.get(key)
        if found is None:
            raise SlackError("invalid_url")
        if self._clock.monotonic() > found.expires:
            raise SlackError("expired_url")
        if found.uses_left < 1:
            raise SlackError("used_url")
        found.uses_left -= 1
        return found

    def forget(self) -> None:
        """Revoke every ticket."""
        self._triggers.clear()
        self._responses.clear()
