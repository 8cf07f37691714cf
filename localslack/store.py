"""Everything that a workspace stores: people, channels, messages, files and marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from localslack.clock import WorkspaceClock
from localslack.errors import ActError
from localslack.ids import Timestamps, new_id
from localslack.shapes import Blocks, Json
from localslack.workspace import UsergroupSpec, UserSpec, Workspace


@dataclass(slots=True)
class Channel:
    """A channel or a direct conversation; ``members`` keeps the order of joining."""

    id: str
    name: str
    topic: str = ""
    purpose: str = ""
    members: dict[str, None] = field(default_factory=dict)
    creator: str = ""
    created: int = 0
    is_private: bool = False
    is_im: bool = False
    is_archived: bool = False
    bookmarks: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class StoredMessage:
    """One message. ``only_for`` is the one person who sees it when it is ephemeral.

    ``author`` is a user id. ``app_id`` is set when an app wrote it.
    """

    channel: str
    ts: str
    author: str
    text: str = ""
    blocks: Blocks = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    app_id: str | None = None
    thread_ts: str | None = None
    only_for: str | None = None
    metadata: Json | None = None
    edited_ts: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    subtype: str | None = None
    username: str | None = None
    icon: str | None = None
    is_broadcast: bool = False
    is_pinned: bool = False
    is_notice: bool = False


@dataclass(slots=True)
class File:
    """An uploaded file; ``content`` is None until the bytes have come."""

    id: str
    name: str
    title: str
    size: int
    mimetype: str
    user: str
    created: int
    secret: str
    content: bytes | None = None
    alt_text: str = ""
    width: int = 0
    height: int = 0
    is_complete: bool = False
    unready: int = 0
    """How often blocks that show it are refused before it is accepted."""
    shares: list[tuple[str, str]] = field(default_factory=list)


class WorkspaceStore:
    """The memory of one workspace. Nothing here waits, checks a limit or sends a change."""

    def __init__(self, workspace: Workspace, clock: WorkspaceClock) -> None:
        self.clock = clock
        self.timestamps = Timestamps(clock)
        self.load(workspace)

    def load(self, workspace: Workspace) -> None:
        """Start again with ``workspace``; everything else is deleted."""
        self.workspace = workspace
        self.users: dict[str, UserSpec] = {user.id: user for user in workspace.users}
        for app in workspace.apps:
            self.users[app.bot_user] = UserSpec(
                id=app.bot_user, name=app.name, real_name=app.name, color=app.color, is_bot=True
            )
        self.usergroups: dict[str, UsergroupSpec] = {
            g.id: g.model_copy(update={"members": self._ids(g.members)}) for g in workspace.usergroups
        }
        created = int(self.clock.now())
        self.channels: dict[str, Channel] = {
            c.id: Channel(
                id=c.id,
                name=c.name,
                topic=c.topic,
                purpose=c.purpose,
                members=dict.fromkeys(self._ids(c.members)),
                creator=workspace.users[0].id,
                created=created,
                is_private=c.is_private,
            )
            for c in workspace.channels
        }
        self.messages: dict[str, dict[str, StoredMessage]] = {c: {} for c in self.channels}
        self.files: dict[str, File] = {}
        self.read_marks: dict[tuple[str, str], str] = {}
        self._children: dict[tuple[str, str], list[StoredMessage]] = {}

    def restore(
        self,
        *,
        channels: Iterable[Channel],
        messages: Iterable[StoredMessage],
        files: Iterable[File],
        read_marks: dict[tuple[str, str], str],
    ) -> None:
        """Add what another process of this workspace had stored; channels in both are as they were there."""
        for channel in channels:
            self.channels[channel.id] = channel
            self.messages.setdefault(channel.id, {})
        for message in messages:
            self.add(message)
            self.timestamps.go_on_after(message.ts)
        self.files.update({file.id: file for file in files})
        self.read_marks.update(read_marks)

    def _ids(self, members: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(found for found in map(self.workspace.member_id, members) if found is not None)

    # People and channels

    def user(self, key: str) -> UserSpec:
        """Return the user with that id, user name or ``@name``.

        Raises:
            ActError: ``user_not_found`` (404).
        """
        name = key.removeprefix("@")
        found = self.users.get(key) or next((u for u in self.users.values() if u.name == name), None)
        if found is None:
            raise ActError("user_not_found", f"No user is called {key!r}.", status=404)
        return found

    def channel(self, key: str) -> Channel:
        """Return the channel with that id, name or ``#name``.

        Raises:
            ActError: ``channel_not_found`` (404).
        """
        name = key.removeprefix("#")
        found = self.channels.get(key) or next((c for c in self.channels.values() if c.name == name), None)
        if found is None:
            raise ActError("channel_not_found", f"No channel is called {key!r}.", status=404)
        return found

    def usergroup(self, key: str) -> UsergroupSpec:
        """Return the user group with that id, handle or ``@handle``.

        Raises:
            ActError: ``usergroup_not_found`` (404).
        """
        handle = key.removeprefix("@")
        for group in self.usergroups.values():
            if key == group.id or handle == group.handle:
                return group
        raise ActError("usergroup_not_found", f"No user group is called {key!r}.", status=404)

    def is_outsider(self, user: UserSpec) -> bool:
        """Return whether a person belongs to another workspace (Slack Connect)."""
        return user.team not in {None, self.workspace.id}

    def direct(self, one: str, other: str) -> Channel:
        """Return the direct conversation of two users; create it if it does not exist."""
        pair = {one, other}
        for channel in self.channels.values():
            if channel.is_im and set(channel.members) == pair:
                return channel
        made = Channel(
            id=new_id("D"),
            name="",
            members=dict.fromkeys((one, other)),
            creator=one,
            created=int(self.clock.now()),
            is_im=True,
        )
        return self.add_channel(made)

    def add_channel(self, channel: Channel) -> Channel:
        """Store a channel."""
        self.channels[channel.id] = channel
        self.messages[channel.id] = {}
        return channel

    # Messages

    def add(self, message: StoredMessage) -> StoredMessage:
        """Store a message."""
        self.messages[message.channel][message.ts] = message
        if message.thread_ts is not None and message.only_for is None:
            self._children.setdefault((message.channel, message.thread_ts), []).append(message)
        return message

    def message(self, channel: str, ts: str) -> StoredMessage | None:
        """Return the message at ``ts``; None when there is none (any more)."""
        return self.messages.get(channel, {}).get(ts)

    def remove(self, message: StoredMessage) -> None:
        """Delete a message."""
        self.messages[message.channel].pop(message.ts, None)
        siblings = self._children.get((message.channel, message.thread_ts or ""), [])
        if message in siblings:
            siblings.remove(message)

    def visible(self, channel: str, *, viewer: str | None) -> Iterator[StoredMessage]:
        """Return messages of a channel, oldest first; ephemeral ones only to the person they are for."""
        for message in self.messages[channel].values():
            if message.only_for is None or message.only_for == viewer:
                yield message

    def top_level(self, channel: str, *, viewer: str | None = None) -> list[StoredMessage]:
        """Return what the channel itself shows: no replies, except those also sent to the channel."""
        return [
            m for m in self.visible(channel, viewer=viewer) if m.thread_ts in {None, m.ts} or m.is_broadcast
        ]

    def thread(self, channel: str, ts: str, *, viewer: str | None = None) -> list[StoredMessage]:
        """Return a parent and its replies, oldest first; empty when the parent does not exist."""
        return [m for m in self.visible(channel, viewer=viewer) if ts in {m.ts, m.thread_ts}]

    def replies(self, message: StoredMessage) -> list[StoredMessage]:
        """Return the public replies to a message, oldest first."""
        return self._children.get((message.channel, message.ts), [])

    def unread(self, user: str, channel: str) -> int:
        """Return how many top-level messages of others came after this person's mark."""
        mark = self.read_marks.get((user, channel), "")
        return sum(m.ts > mark and m.author != user for m in self.top_level(channel, viewer=user))
