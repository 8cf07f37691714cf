"""Switches: faults, groups, people, manifests, and starting anew."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import ConfigDict, Field

from localslack.control.route import Body, Route, body_of
from localslack.control.shapes import app_json
from localslack.core import Core
from localslack.faults import FaultSwitches
from localslack.shapes import Json


class Switches(Body):
    """Any of the fault switches."""

    model_config = ConfigDict(extra="allow")


class Members(Body):
    """People to add to a group, and to remove from it."""

    add: list[str] = Field(default_factory=list)
    remove: list[str] = Field(default_factory=list)


class PersonUpdate(Body):
    """What may change of a person."""

    deleted: bool


class Install(Body):
    """A manifest, for the first app unless ``app`` names another."""

    manifest: dict[str, Any]
    app: str | None = None


class Refresh(Body):
    """Whose sockets to refresh: the first app's unless ``app`` names another."""

    app: str | None = None


async def faults(core: Core, _request: web.Request) -> Json:
    """Return the fault switches, and what each does."""
    about = {name: field.description for name, field in FaultSwitches.model_fields.items()}
    return {"ok": True, "faults": core.faults.model_dump(), "about": about}


async def set_faults(core: Core, request: web.Request) -> Json:
    """Set some fault switches; the others stay."""
    wanted = await body_of(request, Switches)
    core.faults.change(wanted.model_extra or {})
    core.feed.tell({"type": "faults", "faults": core.faults.model_dump()})
    return {"ok": True, "faults": core.faults.model_dump()}


async def clear_faults(core: Core, _request: web.Request) -> Json:
    """Switch every fault off."""
    core.faults.clear()
    core.feed.tell({"type": "faults", "faults": core.faults.model_dump()})
    return {"ok": True, "faults": core.faults.model_dump()}


async def refresh_sockets(core: Core, request: web.Request) -> Json:
    """Send ``disconnect`` on every socket of an app and close it, as Slack does every few hours."""
    app = core.app((await body_of(request, Refresh)).app)
    return {"ok": True, "refreshed": await app.sockets.refresh()}


async def members(core: Core, request: web.Request) -> Json:
    """Add people to a user group, or remove them from it."""
    change = await body_of(request, Members)
    group = core.store.usergroup(request.match_info["group"])
    gone = {core.store.user(key).id for key in change.remove}
    new = [core.store.user(key).id for key in change.add]
    kept = tuple(dict.fromkeys([m for m in group.members if m not in gone] + new))
    core.store.usergroups[group.id] = group.model_copy(update={"members": kept})
    core.feed.tell({"type": "workspace"})
    return {"ok": True, "members": list(kept)}


async def person(core: Core, request: web.Request) -> Json:
    """Deactivate a person, or reactivate them."""
    change = await body_of(request, PersonUpdate)
    user = core.store.user(request.match_info["user"])
    core.store.users[user.id] = user.model_copy(update={"deleted": change.deleted})
    core.feed.tell({"type": "workspace"})
    return {"ok": True, "user": core.shown.user(core.store.users[user.id])}


async def install(core: Core, request: web.Request) -> Json:
    """Replace an app's manifest; ``verified`` is whether its events URL answered the challenge."""
    wanted = await body_of(request, Install)
    app = core.app(wanted.app)
    verified = await core.install(app, wanted.manifest)
    return {"ok": True, "verified": verified, "app": app_json(core, app.spec.id)}


async def reset(core: Core, _request: web.Request) -> Json:
    """Forget every message, view, file, switch and count; sockets, tokens and manifests stay."""
    core.reset()
    return {"ok": True}


ROUTES = (
    Route("GET", "/control/faults", faults),
    Route("POST", "/control/faults", set_faults),
    Route("DELETE", "/control/faults", clear_faults),
    Route("POST", "/control/sockets/refresh", refresh_sockets),
    Route("POST", "/control/usergroups/{group}/members", members),
    Route("POST", "/control/users/{user}", person),
    Route("PUT", "/control/manifest", install),
    Route("POST", "/control/reset", reset),
)
