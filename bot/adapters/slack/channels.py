"""Finds channels by name or id, and remembers which of them are closed to us."""

from __future__ import annotations

import asyncio
import re
import time

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotFoundError

_ID = re.compile(r"[CDG][A-Z0-9]{6,}")
_REMEMBER_S = 600.0
_LOOK_AGAIN_S = 60.0
_CLOSED_S = 600.0
_PAGE = 200


class Channels:
    """Finds channels; what turned out to be closed to us is left alone for ten minutes."""

    def __init__(self, client: AsyncWebClient, *, default: str) -> None:
        """Ask ``client``; ``default`` is the name or id of the channel for everything without its own."""
        self._client = client
        self._default = default
        self._ids: dict[str, str] = {}
        self._listed_at = -_REMEMBER_S
        self._listing = asyncio.Lock()
        self._closed: dict[tuple[str, str], float] = {}
        self._direct: dict[str, str] = {}

    async def find(self, wanted: str) -> str:
        """Return the id of the channel ``wanted`` (a name or an id), or else of the default channel.

        Raises:
            NotFoundError: the bot cannot post to either.
        """
        for name in (wanted, self._default):
            channel = await self._id_of(name.removeprefix("#"))
            if channel and not self.is_closed(channel):
                return channel
        raise NotFoundError(f"I cannot post to `{wanted}` or to the default channel `{self._default}`.")

    async def direct(self, person: str) -> str:
        """Return the id of the direct conversation with a person; opens it the first time."""
        if person not in self._direct:
            told = await self._client.conversations_open(users=person)
            self._direct[person] = told["channel"]["id"]
        return self._direct[person]

    def close(self, channel: str, *, thread: str = "") -> None:
        """Leave a channel, or one thread of it, alone for ten minutes."""
        self._closed[channel, thread] = time.monotonic() + _CLOSED_S

    def is_closed(self, channel: str, *, thread: str = "") -> bool:
        """Return whether it was closed to us less than ten minutes ago."""
        return self._closed.get((channel, thread), 0) > time.monotonic()

    async def _id_of(self, name: str) -> str:
        if not name or _ID.fullmatch(name):
            return name
        async with self._listing:
            age = time.monotonic() - self._listed_at
            if age >= _REMEMBER_S or (name not in self._ids and age >= _LOOK_AGAIN_S):
                self._ids = await self._list()
                self._listed_at = time.monotonic()
        return self._ids.get(name, "")

    async def _list(self) -> dict[str, str]:
        ids: dict[str, str] = {}
        cursor = ""
        while True:
            page = await self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
            ids |= {channel["name"]: channel["id"] for channel in page["channels"]}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return ids
