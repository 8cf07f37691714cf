"""Posts, edits and finds our own messages."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.board import DesiredMessage, PostedMessage, Topic

EVENT_TYPE = "pilothouse_message"
"""The type of the metadata by which we recognise our own messages."""

_PAGE = 200
_MOST_PAGES = 10
_CLOCKS_APART_S = 120.0
"""How many seconds Slack's clock may differ from ours."""


class Messages:
    """A thin shell around three calls; every failure is the client's own exception."""

    def __init__(self, client: AsyncWebClient) -> None:
        """Use ``client``, which must never retry on its own."""
        self._client = client

    async def post(
        self, topic: Topic, message: DesiredMessage, *, channel: str, thread: str
    ) -> tuple[str, str]:
        """Post; return the message's timestamp and that of the thread that it ended up in."""
        answer = await self._client.chat_postMessage(
            channel=channel,
            text=message.text,
            blocks=list(message.blocks) or None,
            thread_ts=thread or None,
            reply_broadcast=True if message.broadcast and thread else None,
            metadata={"event_type": EVENT_TYPE, "event_payload": _mark(topic, message.slot)},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"]), str((answer.get("message") or {}).get("thread_ts") or "")

    async def edit(self, message: DesiredMessage, posted: PostedMessage) -> None:
        """Replace the content of a posted message."""
        await self._client.chat_update(
            channel=posted.channel,
            ts=posted.ts,
            text=message.text,
            blocks=list(message.blocks),
        )

    async def find(self, topic: Topic, slot: str, begun: PostedMessage) -> str:
        """Look for a message whose post was begun; return its timestamp, or none."""
        oldest = f"{max(0.0, begun.edited_at - _CLOCKS_APART_S):.6f}"
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = await self._page(begun, oldest=oldest, cursor=cursor)
            for message in page.get("messages") or ():
                if _is_marked(message, topic, slot):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return ""

    async def join(self, channel: str) -> None:
        """Become a member of a public channel."""
        await self._client.conversations_join(channel=channel)

    async def _page(self, begun: PostedMessage, *, oldest: str, cursor: str) -> dict[str, Any]:
        if begun.thread:
            answer = await self._client.conversations_replies(
                channel=begun.channel,
                ts=begun.thread,
                oldest=oldest,
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
        else:
            answer = await self._client.conversations_history(
                channel=begun.channel,
                oldest=oldest,
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
        return answer.data if isinstance(answer.data, dict) else {}


def _mark(topic: Topic, slot: str) -> dict[str, str]:
    return {"topic": topic.kind, "id": topic.id, "slot": slot}


def _is_marked(message: dict[str, Any], topic: Topic, slot: str) -> bool:
    metadata = message.get("metadata") or {}
    return bool(
        metadata.get("event_type") == EVENT_TYPE and metadata.get("event_payload") == _mark(topic, slot)
    )
