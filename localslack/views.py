"""Modals and Home tabs: what is open for whom, stacked as people see it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field

from localslack.clock import WorkspaceClock
from localslack.elements import values_of
from localslack.errors import SlackError
from localslack.feed import Feed
from localslack.ids import filled, new_id
from localslack.limits import check_view
from localslack.limits.surfaces import Surface
from localslack.shapes import Json
from localslack.store import WorkspaceStore
from localslack.workspace import AppSpec

MAX_STACK = 3
_TAKEN = ("private_metadata", "callback_id", "external_id", "title", "submit", "close")


@dataclass(slots=True)
class View:
    """A modal or a Home tab in its current state. ``chosen`` holds what the person has put in so far."""

    id: str
    app: AppSpec
    user: str
    kind: Surface
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    chosen: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """The blocks, with their ids filled in."""
        return list(self.body["blocks"])


class Views:
    """Every person's stack of modals, and every app's Home for every person."""

    def __init__(self, *, store: WorkspaceStore, clock: WorkspaceClock, feed: Feed) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed
        self._stacks: dict[str, list[View]] = {}
        self._homes: dict[tuple[str, str], View] = {}

    def stack(self, user: str) -> list[View]:
        """Return a person's open modals, the lowest first."""
        return self._stacks.get(user, [])

    def home(self, *, app_id: str, user: str) -> View | None:
        """Return an app's Home tab for one person; None until it publishes one."""
        return self._homes.get((app_id, user))

    def find(self, view_id: str | None, external_id: str | None = None) -> View | None:
        """Return an open view by its id or its app's own id for it."""
        every = [*self._homes.values(), *(v for stack in self._stacks.values() for v in stack)]
        for view in every:
            if view_id == view.id or (external_id and view.body.get("external_id") == external_id):
                return view
        return None

    def open(self, app: AppSpec, user: str, body: Json) -> View:
        """Open a modal in place of the modals that the person has open.

        Raises:
            SlackError: the view breaks a limit.
        """
        view = self._made(app, user, body, kind="modal")
        self._stacks[user] = [view]
        self._tell(view)
        return view

    def push(self, app: AppSpec, user: str, body: Json) -> View:
        """Put a modal on top of the person's stack.

        Raises:
            SlackError: ``push_limit_reached``, ``not_found`` when nothing is open, or a limit is broken.
        """
        stack = self.stack(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= MAX_STACK:
            raise SlackError("push_limit_reached")
        view = self._made(app, user, body, kind="modal")
        view.root_id, view.previous_id = stack[0].id, stack[-1].id
        stack.append(view)
        self._tell(view)
        return view

    def update(self, view: View, body: Json, *, expected_hash: str | None = None) -> View:
        """Replace the content of an open view. What was put in stays where block and action keep their ids.

        Raises:
            SlackError: ``hash_conflict``, or the view breaks a limit.
        """
        if expected_hash and expected_hash != view.hash:
            raise SlackError("hash_conflict")
        self._check(view.app, body, kind=view.kind, replaces=view)
        view.body = {**body, "blocks": filled(body["blocks"])}
        view.hash = self._hash()
        view.errors = {}
        kept = values_of(view.blocks, {})
        view.chosen = {
            block: {a: s for a, s in states.items() if a in kept.get(block, {})}
            for block, states in view.chosen.items()
            if block in kept
        }
        self._tell(view)
        return view

    def publish(self, app: AppSpec, user: str, body: Json, *, expected_hash: str | None = None) -> View:
        """Set an app's Home tab for one person.

        Raises:
            SlackError: ``hash_conflict``, or the view breaks a limit.
        """
        view = self.home(app_id=app.id, user=user)
        if view is not None:
            return self.update(view, body, expected_hash=expected_hash)
        if expected_hash:
            raise SlackError("hash_conflict")
        view = self._made(app, user, body, kind="home")
        self._homes[app.id, user] = view
        self._tell(view)
        return view

    def close(self, view: View, *, whole_stack: bool = False) -> list[View]:
        """Close a modal and those above it, or the whole stack; return what was closed, topmost first."""
        stack = self.stack(view.user)
        if view not in stack:
            return []
        first = 0 if whole_stack else stack.index(view)
        closed = stack[first:]
        del stack[first:]
        self._tell(view)
        return closed[::-1]

    def tell_errors(self, view: View, errors: dict[str, str]) -> None:
        """Show errors at their blocks."""
        view.errors = errors
        self._tell(view)

    def forget(self) -> None:
        """Close everything."""
        self._stacks.clear()
        self._homes.clear()

    def shown(self, view: View) -> Json:
        """Return the view object of Slack's answers and payloads."""
        made: Json = {
            "id": view.id,
            "team_id": self._store.workspace.id,
            "type": view.kind,
            "blocks": view.blocks,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "state": {"values": values_of(view.blocks, view.chosen)},
            "hash": view.hash,
            "title": None,
            "close": None,
            "submit": None,
            "clear_on_close": bool(view.body.get("clear_on_close", False)),
            "notify_on_close": bool(view.body.get("notify_on_close", False)),
            "root_view_id": view.root_id,
            "previous_view_id": view.previous_id,
            "app_id": view.app.id,
            "app_installed_team_id": self._store.workspace.id,
            "bot_id": view.app.bot_id,
        }
        return made | {key: view.body[key] for key in _TAKEN if view.body.get(key) is not None}

    def _made(self, app: AppSpec, user: str, body: Json, *, kind: Surface) -> View:
        self._check(app, body, kind=kind, replaces=None)
        key = new_id("V")
        kept = {**body, "blocks": filled(body["blocks"])}
        return View(id=key, app=app, user=user, kind=kind, body=kept, hash=self._hash(), root_id=key)

    def _check(self, app: AppSpec, body: Json, *, kind: Surface, replaces: View | None) -> None:
        check_view(body, kind=kind)
        other = self.find(None, body.get("external_id"))
        if other is not None and other is not replaces and other.app.id == app.id:
            raise SlackError("duplicate_external_id")

    def _hash(self) -> str:
        return f"{int(self._clock.now())}.{secrets.token_hex(4)}"

    def _tell(self, view: View) -> None:
        kind = "home" if view.kind == "home" else "modals"
        self._feed.tell({"type": kind, "user": view.user, "app": view.app.id}, only=view.user)


def parse_view(value: object) -> Json:
    """Return the ``view`` argument: an object, or a JSON string of one.

    Raises:
        SlackError: ``invalid_arguments``.
    """
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            found = None
    if not isinstance(found, dict):
        raise SlackError(
            "invalid_arguments",
            response_metadata={"messages": ["[ERROR] must provide an object [json-pointer:/view]"]},
        )
    return found
