"""The app's manifest, built from what the handlers listen to and the methods that are called."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

from bot.domain.model import JsonObject, JsonValue

DEFAULT_NAME = "Pilothouse"

SCOPES_OF_METHOD: dict[str, frozenset[str]] = {
    "auth.test": frozenset(),
    "chat.getPermalink": frozenset(),
    "chat.postEphemeral": frozenset({"chat:write"}),
    "chat.postMessage": frozenset({"chat:write", "chat:write.public"}),
    "chat.update": frozenset({"chat:write"}),
    "conversations.history": frozenset({"channels:history", "groups:history", "im:history", "mpim:history"}),
    "conversations.join": frozenset({"channels:join"}),
    "conversations.list": frozenset({"channels:read", "groups:read"}),
    "conversations.open": frozenset({"im:write"}),
    "conversations.replies": frozenset({"channels:history", "groups:history", "im:history", "mpim:history"}),
    "files.completeUploadExternal": frozenset({"files:write"}),
    "files.getUploadURLExternal": frozenset({"files:write"}),
    "usergroups.list": frozenset({"usergroups:read"}),
    "usergroups.users.list": frozenset({"usergroups:read"}),
    "users.info": frozenset({"users:read", "users:read.email"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
    "views.push": frozenset(),
    "views.update": frozenset(),
}
"""The scopes that the bot's token needs, by Web API method."""

SCOPES_OF_EVENT: dict[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "app_mention": frozenset({"app_mentions:read"}),
}
"""The scopes that an event needs."""


def manifest_of(handlers: Iterable[ModuleType], *, name: str = DEFAULT_NAME, url: str = "") -> JsonObject:
    """Return the app's manifest: Socket Mode, or signed HTTP if there is a ``url`` where requests arrive.

    Of each handler's module it reads ``COMMAND``, ``USAGE`` and ``SUMMARY`` (a slash command), ``SHORTCUT``,
    ``CALLBACK`` and ``SHORTCUT_SUMMARY`` (a message shortcut) and ``EVENTS``, where they are.
    """
    modules = tuple(handlers)
    events = _events(modules)
    at: dict[str, JsonValue] = {"request_url": url} if url else {}
    return {
        "display_information": {
            "name": name,
            "description": "Incidents and deployments: ranked cause, approved fix, verified recovery.",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": _display_name(name), "always_online": True},
            "shortcuts": [_shortcut(module) for module in modules if hasattr(module, "SHORTCUT")],
            "slash_commands": [_command(module, url) for module in modules if hasattr(module, "COMMAND")],
        },
        "oauth_config": {"scopes": {"bot": list(scopes_of(modules))}},
        "settings": {
            "event_subscriptions": {**at, "bot_events": list(events)},
            "interactivity": {"is_enabled": True, **at},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def _events(modules: Iterable[ModuleType]) -> list[str]:
    return sorted({event for module in modules for event in getattr(module, "EVENTS", ())})


def scopes_of(handlers: Iterable[ModuleType]) -> list[str]:
    """Return the scopes that the bot's token needs, for its calls and for what the handlers listen to."""
    modules = tuple(handlers)
    events = _events(modules)
    scopes = set().union(*SCOPES_OF_METHOD.values(), *(SCOPES_OF_EVENT[event] for event in events))
    if any(hasattr(module, "COMMAND") or hasattr(module, "SHORTCUT") for module in modules):
        scopes.add("commands")
    return sorted(scopes)


def _command(module: ModuleType, url: str) -> JsonObject:
    command: JsonObject = {
        "command": module.COMMAND,
        "description": module.SUMMARY,
        "usage_hint": module.USAGE,
        "should_escape": True,
    }
    return {**command, "url": url} if url else command


def _shortcut(module: ModuleType) -> JsonObject:
    return {
        "name": module.SHORTCUT,
        "type": "message",
        "callback_id": module.CALLBACK,
        "description": module.SHORTCUT_SUMMARY,
    }


def _display_name(name: str) -> str:
    return name.lower().replace(" ", "-")
