"""Posts, edits and deletes messages, in the store, for the watchers and apps, and in the counts."""

from __future__ import annotations

from localslack.content import MessageContent
from localslack.events import Events
from localslack.feed import Feed
from localslack.notifications import Notifications
from localslack.shapes import Json
from localslack.shown import SlackJson
from localslack.stats import Stats
from localslack.store import Channel, File, StoredMessage, WorkspaceStore
from localslack.workspace import AppSpec


class Messenger:
    """Every change of a message goes through here."""

    def __init__(
        self,
        *,
        store: WorkspaceStore,
        shown: SlackJson,
        feed: Feed,
        events: Events,
        stats: Stats,
        notifications: Notifications,
    ) -> None:
        self._store = store
        self._shown = shown
        self._feed = feed
        self._events = events
        self._stats = stats
        self._notifications = notifications

    def post(
        self,
        channel: Channel,
        content: MessageContent,
        *,
        author: str,
        app: AppSpec | None = None,
        thread_ts: str | None = None,
        only_for: str | None = None,
        files: tuple[str, ...] = (),
        username: str | None = None,
        icon: str | None = None,
        is_broadcast: bool = False,
        is_notice: bool = False,
    ) -> StoredMessage:
        """Post a message. A reply to a missing parent is posted in the channel, as in Slack."""
        message = StoredMessage(
            channel=channel.id,
            ts=self._store.timestamps.next(),
            author=author,
            text=content.text or "",
            blocks=content.blocks or [],
            attachments=content.attachments or [],
            metadata=content.metadata or None,
            app_id=app.id if app else None,
            thread_ts=self._parent(channel, thread_ts),
            only_for=only_for,
            files=list(files),
            username=username,
            icon=icon,
            is_broadcast=is_broadcast,
            is_notice=is_notice,
        )
        self._store.add(message)
        self._notifications.record(message, channel)
        if app and only_for is None:
            self._stats.posts += 1
        elif app:
            self._stats.ephemerals += 1
        self.tell(message)
        if only_for is None:
            self._events.posted(message)
        return message

    def notice(
        self, channel: Channel, text: str, *, user: str, thread_ts: str | None = None
    ) -> StoredMessage:
        """Show one person that something went wrong, as Slack does."""
        return self.post(
            channel,
            MessageContent(text=text),
            author=user,
            only_for=user,
            thread_ts=thread_ts,
            is_notice=True,
        )

    def edit(self, message: StoredMessage, content: MessageContent) -> None:
        """Change a message; text without blocks removes the blocks."""
        before = self._shown.message(message)
        if content.text is not None:
            message.text = content.text
        if content.blocks is not None or content.text is not None:
            message.blocks = content.blocks or []
        if content.attachments is not None:
            message.attachments = content.attachments
        if content.metadata is not None:
            message.metadata = content.metadata or None
        message.edited_ts = self._store.timestamps.next()
        self._stats.edits += 1
        self.tell(message)
        if message.only_for is None:
            self._events.changed(message, before=before)

    def delete(self, message: StoredMessage) -> None:
        """Remove a message."""
        before = self._shown.message(message)
        self._store.remove(message)
        self._stats.deletions += 1
        self._feed.tell(
            {
                "type": "message_gone",
                "channel": message.channel,
                "ts": message.ts,
                "thread_ts": message.thread_ts,
            },
            only=message.only_for,
        )
        self.tell_parent(message)
        if message.only_for is None:
            self._events.deleted(message, before=before)

    def react(self, message: StoredMessage, *, user: str, name: str) -> bool:
        """Add a reaction; return False when this person already has it."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            return False
        users.append(user)
        self.tell(message)
        self._events.reacted(message, user=user, name=name, added=True)
        return True

    def unreact(self, message: StoredMessage, *, user: str, name: str) -> bool:
        """Remove a reaction; return False when there was none."""
        users = message.reactions.get(name, [])
        if user not in users:
            return False
        users.remove(user)
        if not users:
            del message.reactions[name]
        self.tell(message)
        self._events.reacted(message, user=user, name=name, added=False)
        return True

    def join(self, channel: Channel, *, user: str, inviter: str | None = None) -> bool:
        """Make a user a member; return False when they already are."""
        if user in channel.members:
            return False
        channel.members[user] = None
        self._feed.tell({"type": "channels"})
        self._events.joined(channel, user=user, inviter=inviter)
        return True

    def share(
        self,
        file: File,
        channel: Channel,
        *,
        author: str,
        app: AppSpec | None,
        text: str,
        thread_ts: str | None,
    ) -> StoredMessage:
        """Post a file into a channel."""
        message = self.post(
            channel, MessageContent(text=text), author=author, app=app, thread_ts=thread_ts, files=(file.id,)
        )
        file.shares.append((channel.id, message.ts))
        self._events.shared_file(file.id, user=author, channel=channel)
        return message

    def tell(self, message: StoredMessage) -> None:
        """Send the watchers a message's current state, and its parent's count of replies."""
        self._feed.tell({"type": "message", "message": self.page_json(message)}, only=message.only_for)
        self.tell_parent(message)

    def tell_parent(self, message: StoredMessage) -> None:
        """Send the watchers the parent of a reply."""
        parent = self._store.message(message.channel, message.thread_ts) if message.thread_ts else None
        if parent is not None and parent is not message and message.only_for is None:
            self._feed.tell({"type": "message", "message": self.page_json(parent)})

    def page_json(self, message: StoredMessage) -> Json:
        """Return a message with the few fields that the page needs in addition to Slack's own."""
        return {
            **self._shown.message(message, with_metadata=True),
            "channel": message.channel,
            "is_notice": message.is_notice,
            "is_broadcast": message.is_broadcast,
        }

    def _parent(self, channel: Channel, thread_ts: str | None) -> str | None:
        parent = self._store.message(channel.id, thread_ts) if thread_ts else None
        if parent is None or parent.only_for is not None:
            return None
        return parent.thread_ts or parent.ts
