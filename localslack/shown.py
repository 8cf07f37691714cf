"""The JSON of people, channels, messages and files, as Slack's answers and events carry it."""

from __future__ import annotations

from typing import Any

from localslack.shapes import Json
from localslack.store import Channel, File, StoredMessage, WorkspaceStore
from localslack.workspace import AppSpec, UserSpec


class SlackJson:
    """Builds Slack's JSON from the store."""

    def __init__(self, store: WorkspaceStore, *, url: str = "") -> None:
        self._store = store
        self.url = url

    def user(self, user: UserSpec) -> Json:
        """Return a user object."""
        names = {"real_name": user.real_name, "display_name": user.name}
        return {
            "id": user.id,
            "team_id": user.team or self._store.workspace.id,
            "name": user.name,
            "deleted": user.deleted,
            "color": user.color,
            "real_name": user.real_name,
            "tz": user.tz,
            "tz_offset": 0,
            "profile": {
                **names,
                "real_name_normalized": user.real_name,
                "display_name_normalized": user.name,
                "title": user.title,
                "email": user.email,
                "team": user.team or self._store.workspace.id,
            },
            "is_admin": user.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": user.is_restricted,
            "is_ultra_restricted": user.is_ultra_restricted,
            "is_bot": user.is_bot,
            "is_app_user": False,
            "is_stranger": self._store.is_outsider(user),
            "updated": 0,
        }

    def channel(self, channel: Channel, *, viewer: str) -> Json:
        """Return a conversation object, as ``viewer`` (a user id) sees it."""
        outside = any(self._store.is_outsider(self._store.users[m]) for m in channel.members)
        made: Json = {
            "id": channel.id,
            "created": channel.created,
            "creator": channel.creator,
            "is_archived": channel.is_archived,
            "is_channel": not channel.is_im and not channel.is_private,
            "is_group": channel.is_private,
            "is_im": channel.is_im,
            "is_mpim": False,
            "is_private": channel.is_private or channel.is_im,
            "is_shared": outside,
            "is_ext_shared": outside,
            "is_member": viewer in channel.members,
            "context_team_id": self._store.workspace.id,
        }
        if channel.is_im:
            return {**made, "user": next((m for m in channel.members if m != viewer), viewer)}
        return {
            **made,
            "name": channel.name,
            "name_normalized": channel.name,
            "is_general": channel.name == "general",
            "topic": {"value": channel.topic, "creator": channel.creator, "last_set": channel.created},
            "purpose": {"value": channel.purpose, "creator": channel.creator, "last_set": channel.created},
            "num_members": len(channel.members),
        }

    def message(self, message: StoredMessage, *, with_metadata: bool = False) -> Json:
        """Return a message object; a parent also counts its replies."""
        made: Json = {
            "type": "message",
            "user": message.author,
            "ts": message.ts,
            "text": message.text,
            "team": self._store.workspace.id,
            **self._byline(message),
        }
        optional: Json = {
            "subtype": message.subtype or ("thread_broadcast" if message.is_broadcast else None),
            "thread_ts": message.thread_ts,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "metadata": message.metadata if with_metadata else None,
            "files": [self.file(self._store.files[f]) for f in message.files if f in self._store.files],
            "reactions": [
                {"name": n, "users": list(u), "count": len(u)} for n, u in message.reactions.items()
            ],
        }
        made |= {key: value for key, value in optional.items() if value}
        if message.edited_ts:
            made["edited"] = {"user": message.author, "ts": message.edited_ts}
        if message.only_for:
            made["is_ephemeral"] = True
        if message.is_pinned:
            made["pinned_to"] = [message.channel]
        return made | self._replies(message)

    def _byline(self, message: StoredMessage) -> Json:
        app = self.app(message.app_id) if message.app_id else None
        if app is None:
            return {}
        made: Json = {
            "bot_id": app.bot_id,
            "app_id": app.id,
            "bot_profile": {
                "id": app.bot_id,
                "app_id": app.id,
                "name": app.name,
                "deleted": False,
                "team_id": self._store.workspace.id,
            },
        }
        if message.username:
            made["username"] = message.username
        if message.icon:
            made["icons"] = {"emoji": message.icon}
        return made

    def app(self, app_id: str) -> AppSpec | None:
        """Return the app with that id."""
        return next((a for a in self._store.workspace.apps if a.id == app_id), None)

    def _replies(self, message: StoredMessage) -> Json:
        replies = self._store.replies(message)
        if not replies:
            return {}
        authors = list(dict.fromkeys(r.author for r in replies))
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": authors[:5],
            "reply_users_count": len(authors),
            "latest_reply": replies[-1].ts,
        }

    def file(self, file: File) -> Json:
        """Return a file object; the links serve the bytes to the bot's token and to the page."""
        path = f"{self.url}/files/{self._store.workspace.id}-{file.id}"
        made: dict[str, Any] = {
            "id": file.id,
            "created": file.created,
            "timestamp": file.created,
            "name": file.name,
            "title": file.title,
            "mimetype": file.mimetype,
            "filetype": file.name.rpartition(".")[2] or "binary",
            "size": file.size,
            "user": file.user,
            "mode": "hosted",
            "is_external": False,
            "is_public": bool(file.shares),
            "url_private": f"{path}/{file.name}",
            "url_private_download": f"{path}/download/{file.name}",
            "permalink": f"{path}/{file.name}",
            "channels": list(dict.fromkeys(channel for channel, _ in file.shares)),
            "alt_txt": file.alt_text,
        }
        if file.width:
            made |= {"original_w": file.width, "original_h": file.height}
        return made
