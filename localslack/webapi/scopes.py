"""The scope that each method requires, when a manifest lists scopes."""

from __future__ import annotations

from localslack.errors import SlackError
from localslack.manifest import Manifest

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_MANAGE = ("channels:manage", "groups:write", "im:write", "mpim:write")

NEEDED: dict[str, tuple[str, ...]] = {
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "conversations.list": _READ,
    "conversations.info": _READ,
    "conversations.members": _READ,
    "users.conversations": _READ,
    "conversations.history": _HISTORY,
    "conversations.replies": _HISTORY,
    "conversations.create": _MANAGE,
    "conversations.archive": _MANAGE,
    "conversations.setTopic": (*_MANAGE, "channels:write.topic"),
    "conversations.invite": (*_MANAGE, "channels:write.invites"),
    "conversations.join": ("channels:join",),
    "conversations.open": ("im:write", "mpim:write", "channels:manage", "groups:write"),
    "users.list": ("users:read",),
    "users.info": ("users:read",),
    "bots.info": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "pins.add": ("pins:write",),
    "pins.remove": ("pins:write",),
    "bookmarks.add": ("bookmarks:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "team.info": ("team:read",),
}
"""Any one of the scopes will do."""


def check_scopes(method: str, manifest: Manifest) -> None:
    """Refuse a call that its app has no scope for; a manifest without scopes allows everything.

    Raises:
        SlackError: ``missing_scope``, with ``needed`` and ``provided``.
    """
    needed = NEEDED.get(method)
    if manifest.scopes is None or needed is None or manifest.scopes & set(needed):
        return
    raise SlackError("missing_scope", needed=",".join(needed), provided=",".join(sorted(manifest.scopes)))
