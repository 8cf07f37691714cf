"""Who is notified of a message, and why, as Slack decides it with its default settings."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from localslack.shapes import Json
from localslack.store import Channel, StoredMessage, WorkspaceStore
from localslack.text import reading

KEPT = 1000

_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|[^<>]*)?>")
_ALL = re.compile(r"<!(?:here|channel|everyone)(?:\|[^<>]*)?>")


class Notifications:
    """The last 1,000 notifications, newest last.

    A person is notified of a new message in a direct conversation, of one that mentions them or a user group
    they are in, and of a reply in a thread that they wrote in: always as a member of the channel, never of
    their own messages, of an edit, or of an ephemeral message. Where a message has blocks, only those count.
    """

    def __init__(self, store: WorkspaceStore) -> None:
        self._store = store
        self.entries: deque[Json] = deque(maxlen=KEPT)

    def record(self, message: StoredMessage, channel: Channel) -> None:
        """Record who is notified of a new message."""
        for user, why in self._reasons(message, channel).items():
            self.entries.append(
                {
                    "user": user,
                    "why": why,
                    "channel": channel.id,
                    "ts": message.ts,
                    "thread_ts": message.thread_ts,
                    "text": reading(message, self._store),
                }
            )

    def _reasons(self, message: StoredMessage, channel: Channel) -> dict[str, str]:
        if message.only_for is not None:
            return {}
        texts = [*_texts(message.blocks)] if message.blocks else [message.text]
        written = "\n".join(texts)
        found: dict[str, str] = {}
        if message.thread_ts is not None:
            parent = self._store.message(channel.id, message.thread_ts)
            earlier = [] if parent is None else [parent, *self._store.replies(parent)]
            found |= dict.fromkeys((one.author for one in earlier if one.only_for is None), "thread")
        if _ALL.search(written):
            found |= dict.fromkeys(channel.members, "channel")
        for group_id in _GROUP.findall(written):
            group = self._store.usergroups.get(group_id)
            found |= dict.fromkeys(group.members if group else (), "group")
        found |= dict.fromkeys(_USER.findall(written), "mention")
        if channel.is_im:
            found |= dict.fromkeys(channel.members, "direct")
        return {user: why for user, why in found.items() if self._is_reached(user, message, channel)}

    def _is_reached(self, user: str, message: StoredMessage, channel: Channel) -> bool:
        known = self._store.users.get(user)
        is_person = known is not None and not known.is_bot and not known.deleted
        return is_person and user in channel.members and user != message.author


def _texts(value: object) -> Iterator[str]:
    """Yield the mrkdwn of blocks, and what rich text mentions, in the form of mrkdwn."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    if not isinstance(value, dict):
        return
    match value:
        case {"type": "mrkdwn", "text": str(text)}:
            yield text
        case {"type": "user", "user_id": str(user)}:
            yield f"<@{user}>"
        case {"type": "usergroup", "usergroup_id": str(group)}:
            yield f"<!subteam^{group}>"
        case {"type": "broadcast", "range": str(span)}:
            yield f"<!{span}>"
        case _:
            for item in value.values():
                yield from _texts(item)
