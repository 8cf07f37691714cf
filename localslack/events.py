"""Events of the Events API, and which app gets which."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from localslack.clock import WorkspaceClock
from localslack.delivery import App, EnvelopeDelivery
from localslack.ids import new_id
from localslack.shapes import Json
from localslack.shown import SlackJson
from localslack.store import Channel, StoredMessage, WorkspaceStore


class Events:
    """Sends events to apps, to each only those that it subscribed to and may see."""

    def __init__(
        self,
        *,
        store: WorkspaceStore,
        shown: SlackJson,
        clock: WorkspaceClock,
        delivery: EnvelopeDelivery,
        apps: Callable[[], Iterable[App]],
    ) -> None:
        self._store = store
        self._shown = shown
        self._clock = clock
        self._delivery = delivery
        self._apps = apps

    def posted(self, message: StoredMessage) -> None:
        """Send that a message was posted."""
        channel = self._store.channels[message.channel]
        event = {
            **self._shown.message(message),
            "channel": channel.id,
            "event_ts": message.ts,
            "channel_type": channel_type(channel),
        }
        for app in self._members(channel):
            bot = app.spec.bot_user
            self._tell(app, f"message.{_suffix(channel)}", event)
            if f"<@{bot}>" in message.text and message.author != bot and not channel.is_im:
                mention = {k: v for k, v in event.items() if k not in {"channel_type", "subtype"}}
                self._tell(app, "app_mention", {**mention, "type": "app_mention"})

    def changed(self, message: StoredMessage, *, before: Json) -> None:
        """Send that a message was edited."""
        self._rewritten(
            message, {"subtype": "message_changed", "message": self._shown.message(message)}, before
        )

    def deleted(self, message: StoredMessage, *, before: Json) -> None:
        """Send that a message was deleted."""
        self._rewritten(message, {"subtype": "message_deleted", "deleted_ts": message.ts}, before)

    def _rewritten(self, message: StoredMessage, change: Json, before: Json) -> None:
        channel = self._store.channels[message.channel]
        now = self._store.timestamps.next()
        event = {
            "type": "message",
            **change,
            "previous_message": before,
            "channel": channel.id,
            "hidden": True,
            "ts": now,
            "event_ts": now,
            "channel_type": channel_type(channel),
        }
        for app in self._members(channel):
            self._tell(app, f"message.{_suffix(channel)}", event)

    def reacted(self, message: StoredMessage, *, user: str, name: str, added: bool) -> None:
        """Send that a reaction was added or removed."""
        kind = "reaction_added" if added else "reaction_removed"
        event = {
            "type": kind,
            "user": user,
            "reaction": name,
            "item_user": message.author,
            "item": {"type": "message", "channel": message.channel, "ts": message.ts},
            "event_ts": self._store.timestamps.next(),
        }
        for app in self._members(self._store.channels[message.channel]):
            self._tell(app, kind, event)

    def joined(self, channel: Channel, *, user: str, inviter: str | None = None) -> None:
        """Send that a user joined a channel."""
        event = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel.id,
            "channel_type": "G" if channel.is_private else "C",
            "team": self._store.workspace.id,
            "event_ts": self._store.timestamps.next(),
        }
        if inviter is not None:
            event["inviter"] = inviter
        for app in self._members(channel):
            self._tell(app, "member_joined_channel", event)

    def home_opened(self, app: App, *, user: str, channel: str, view: Json | None) -> None:
        """Send that a user opened an app's Home tab."""
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": channel,
            "tab": "home",
            "event_ts": self._store.timestamps.next(),
        }
        if view is not None:
            event["view"] = view
        self._tell(app, "app_home_opened", event)

    def shared_file(self, file_id: str, *, user: str, channel: Channel) -> None:
        """Send that a file was shared into a channel."""
        event = {
            "type": "file_shared",
            "file_id": file_id,
            "user_id": user,
            "file": {"id": file_id},
            "channel_id": channel.id,
            "event_ts": self._store.timestamps.next(),
        }
        for app in self._members(channel):
            self._tell(app, "file_shared", event)

    def _members(self, channel: Channel) -> list[App]:
        return [app for app in self._apps() if app.spec.bot_user in channel.members]

    def _tell(self, app: App, subscription: str, event: Json) -> None:
        wanted = app.manifest.events
        if wanted is not None and subscription not in wanted:
            return
        payload = {
            "token": "local",
            "team_id": self._store.workspace.id,
            "api_app_id": app.spec.id,
            "event": event,
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": int(self._clock.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self._store.workspace.id,
                    "user_id": app.spec.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        self._delivery.send_event(app, payload)


def channel_type(channel: Channel) -> str:
    """Return ``im``, ``group`` or ``channel``."""
    if channel.is_im:
        return "im"
    return "group" if channel.is_private else "channel"


def _suffix(channel: Channel) -> str:
    return {"im": "im", "group": "groups", "channel": "channels"}[channel_type(channel)]
