"""The parts of an app manifest that a workspace acts on."""

from __future__ import annotations

from dataclasses import dataclass

from localslack.errors import ActError
from localslack.shapes import Json

MAX_COMMAND = 32
MAX_SHORTCUT_NAME = 24


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command; ``name`` begins with the slash."""

    name: str
    description: str
    usage_hint: str
    should_escape: bool
    url: str


@dataclass(frozen=True, slots=True)
class ManifestShortcut:
    """An entry of a message's menu (``message``) or of the global one (``global``)."""

    name: str
    type: str
    callback_id: str
    description: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The features of an app. ``events`` and ``scopes`` are None when the manifest does not list them:
    then every event is sent and no scope is required.
    """  # noqa: D205  # one sentence is not enough and two are not a summary

    commands: tuple[Command, ...] = ()
    shortcuts: tuple[ManifestShortcut, ...] = ()
    events: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    home_tab: bool = True
    socket_mode: bool | None = None
    interactivity_url: str = ""
    events_url: str = ""
    display_name: str = ""

    def command(self, name: str) -> Command | None:
        """Return the command of that name, with its slash."""
        return next((c for c in self.commands if c.name == name), None)

    def shortcut(self, key: str, *, type_: str) -> ManifestShortcut | None:
        """Return the shortcut with that callback id or visible name."""
        return next((s for s in self.shortcuts if s.type == type_ and key in {s.callback_id, s.name}), None)


def parse_manifest(raw: Json) -> Manifest:
    """Read the parts of a manifest that a workspace acts on.

    Raises:
        ActError: ``invalid_manifest``, with every fault in one sentence.
    """
    faults: list[str] = []
    features = _mapping(raw, "features", faults)
    settings = _mapping(raw, "settings", faults)
    bot_events = _mapping(settings, "event_subscriptions", faults).get("bot_events")
    scopes = _mapping(_mapping(raw, "oauth_config", faults), "scopes", faults).get("bot")
    made = Manifest(
        commands=tuple(_command(c, faults) for c in _list(features, "slash_commands", faults)),
        shortcuts=tuple(_shortcut(s, faults) for s in _list(features, "shortcuts", faults)),
        events=frozenset(bot_events) if isinstance(bot_events, list) else None,
        scopes=frozenset(scopes) if isinstance(scopes, list) else None,
        home_tab=bool(
            _mapping(features, "app_home", faults).get("home_tab_enabled", "app_home" not in features)
        ),
        socket_mode=settings.get("socket_mode_enabled"),
        interactivity_url=str(_mapping(settings, "interactivity", faults).get("request_url", "")),
        events_url=str(_mapping(settings, "event_subscriptions", faults).get("request_url", "")),
        display_name=str(
            _mapping(features, "bot_user", faults).get("display_name")
            or _mapping(raw, "display_information", faults).get("name")
            or ""
        ),
    )
    if faults:
        raise ActError("invalid_manifest", "; ".join(faults))
    return made


def _mapping(raw: Json, key: str, faults: list[str]) -> Json:
    value = raw.get(key) or {}
    if isinstance(value, dict):
        return value
    faults.append(f"{key} must be a mapping")
    return {}


def _list(raw: Json, key: str, faults: list[str]) -> list[Json]:
    value = raw.get(key) or []
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    faults.append(f"{key} must be a list of mappings")
    return []


def _command(raw: Json, faults: list[str]) -> Command:
    name = str(raw.get("command", ""))
    if not name.startswith("/") or not 1 < len(name) <= MAX_COMMAND or name != name.lower() or " " in name:
        faults.append(f"slash command {name!r}: a lower-case word of at most {MAX_COMMAND} with its slash")
    if not raw.get("description"):
        faults.append(f"slash command {name!r} needs a description")
    return Command(
        name=name,
        description=str(raw.get("description", "")),
        usage_hint=str(raw.get("usage_hint", "")),
        should_escape=bool(raw.get("should_escape", False)),
        url=str(raw.get("url", "")),
    )


def _shortcut(raw: Json, faults: list[str]) -> ManifestShortcut:
    name, kind = str(raw.get("name", "")), str(raw.get("type", ""))
    if not 0 < len(name) <= MAX_SHORTCUT_NAME:
        faults.append(f"shortcut {name!r}: the name has 1 to {MAX_SHORTCUT_NAME} characters")
    if kind not in {"message", "global"}:
        faults.append(f"shortcut {name!r}: the type is message or global")
    if not raw.get("callback_id"):
        faults.append(f"shortcut {name!r} needs a callback_id")
    return ManifestShortcut(
        name=name,
        type=kind,
        callback_id=str(raw.get("callback_id", "")),
        description=str(raw.get("description", "")),
    )
