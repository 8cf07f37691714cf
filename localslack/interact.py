"""People click, choose, use shortcuts, open Home, and fill, submit and close modals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from localslack import payloads
from localslack.core import Core
from localslack.delivery import App
from localslack.elements import action_of, find_option, is_stateful, state_of
from localslack.envelopes import Ack
from localslack.errors import ActError
from localslack.ids import elements_of
from localslack.people import actor, message_at
from localslack.shapes import Json
from localslack.store import StoredMessage
from localslack.views import View
from localslack.workspace import UserSpec


@dataclass(frozen=True, slots=True)
class ElementOwner:
    """Where an element is: in a message or in a view, and whose app it belongs to."""

    app: App
    message: StoredMessage | None = None
    view: View | None = None

    @property
    def blocks(self) -> list[Json]:
        """The blocks around the element."""
        if self.view is not None:
            return self.view.blocks
        return payloads.blocks_of(self.message) if self.message is not None else []


@dataclass(frozen=True, slots=True)
class ElementPick:
    """Which element: by action id or its label; ``block_id`` and ``value`` distinguish equal ones."""

    action_id: str | None = None
    text: str | None = None
    block_id: str | None = None
    value: Any = None


def target_message(core: Core, user: UserSpec, *, channel: str, ts: str) -> ElementOwner:
    """Return the message that a user acts on.

    Raises:
        ActError: ``message_not_found``, ``not_in_channel``, or ``no_app`` when a person wrote it.
    """
    where = core.store.channel(channel)
    if user.id not in where.members and where.is_private:
        raise ActError("not_in_channel", f"{user.real_name} is not in #{where.name}.", status=403)
    message = message_at(core, where, ts, viewer=user)
    if message.app_id is None:
        raise ActError("no_app", "No app wrote that message.")
    return ElementOwner(app=core.apps[message.app_id], message=message)


def target_view(core: Core, user: UserSpec, view_id: str | None) -> ElementOwner:
    """Return the view that a user acts on: the topmost modal unless ``view_id`` names another, or a Home tab.

    Raises:
        ActError: ``view_not_found`` (404).
    """
    stack = core.views.stack(user.id)
    view = core.views.find(view_id) if view_id else (stack[-1] if stack else None)
    if view is None or view.user != user.id:
        raise ActError("view_not_found", f"{user.real_name} does not have that view open.", status=404)
    return ElementOwner(app=core.apps[view.app.id], view=view)


async def click(core: Core, *, user: str, target: ElementOwner, pick: ElementPick) -> Json:
    """Click or choose; return ``ok``, ``error``, ``ack_latency_ms`` and the ``action`` sent to the app.

    Raises:
        ActError: ``element_not_found``, ``no_such_option``, ``no_value``.
    """
    who = actor(core, user)
    found = _found(target, pick)
    value = pick.value
    if str(found.element.get("type")).endswith("external_select") and value is not None:
        value = await _external(core, who, target, found, value=value)
    return await core.clicked(lambda: _act(core, who, target, found, value=value))


@dataclass(frozen=True, slots=True)
class LocatedElement:
    """An element and the block that holds it."""

    block: Json
    element: Json


def _found(target: ElementOwner, pick: ElementPick) -> LocatedElement:
    matching = [
        LocatedElement(block, element)
        for block, element in elements_of(target.blocks)
        if (pick.action_id is None or element.get("action_id") == pick.action_id)
        and (pick.text is None or words_on(element) == pick.text)
        and (pick.block_id is None or block.get("block_id") == pick.block_id)
    ]
    same_value = [
        pair for pair in matching if pick.value is not None and pair.element.get("value") == pick.value
    ]
    if same_value or matching:
        return (same_value or matching)[0]
    there = [f"{e.get('action_id')} [{words_on(e)}]" for _, e in elements_of(target.blocks)]
    raise ActError(
        "element_not_found",
        f"No element {pick.action_id or pick.text!r} here; available: {', '.join(there) or 'none'}.",
        status=404,
    )


def words_on(element: Json) -> str:
    """Return the label that a person sees on a button or in an empty menu."""
    label = element.get("text") or element.get("placeholder") or {}
    return str(label.get("text", ""))


async def _act(
    core: Core,
    user: UserSpec,
    target: ElementOwner,
    found: LocatedElement,
    *,
    value: Any,  # noqa: ANN401
) -> Json:
    block, element = found.block, found.element
    action = action_of(block, element, value, ts=core.store.timestamps.next())
    if is_stateful(element):
        _chosen(core, user, target).setdefault(str(block["block_id"]), {})[str(element["action_id"])] = (
            state_of(element, value)
        )
    payload = payloads.interaction(core, target.app, user, "block_actions", view=target.view)
    payload |= _where(core, user, target)
    payload["actions"] = [action]
    ack = await core.delivery.send(target.app, "interactive", payload)
    return {**outcome_of(ack), "action": action, "trigger_id": payload["trigger_id"]}


def _chosen(core: Core, user: UserSpec, target: ElementOwner) -> dict[str, dict[str, Json]]:
    if target.view is not None:
        return target.view.chosen
    if target.message is None:
        return {}
    return core.settled.of(target.message.channel, target.message.ts, user.id)


def _where(core: Core, user: UserSpec, target: ElementOwner) -> Json:
    if target.message is not None:
        return payloads.at_message(core, target.app, user, target.message)
    view_id = target.view.id if target.view else None
    return {"container": {"type": "view", "view_id": view_id}}


async def _external(
    core: Core,
    user: UserSpec,
    target: ElementOwner,
    found: LocatedElement,
    *,
    value: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    several = value if isinstance(value, list) else [value]
    options = []
    for one in several:
        if isinstance(one, dict):
            options.append(one)
            continue
        offered = await _suggest(core, user, target, found, query=str(one))
        options.append(find_option({**found.element, **offered}, one))
    return options if isinstance(value, list) else options[0]


async def _suggest(
    core: Core, user: UserSpec, target: ElementOwner, found: LocatedElement, *, query: str
) -> Json:
    payload = payloads.interaction(core, target.app, user, "block_suggestion", view=target.view)
    where = _where(core, user, target)
    where.pop("response_url", None)
    where.pop("state", None)
    payload |= where
    payload |= {
        "action_id": found.element.get("action_id"),
        "block_id": found.block.get("block_id"),
        "value": query,
    }
    ack = await core.delivery.send(target.app, "interactive", payload)
    body = ack.body or {}
    return {key: body[key] for key in ("options", "option_groups") if isinstance(body.get(key), list)}


async def suggest(core: Core, *, user: str, target: ElementOwner, pick: ElementPick, query: str) -> Json:
    """Return an external menu's ``options`` or ``option_groups`` from the app; empty when it fails.

    Raises:
        ActError: ``element_not_found``.
    """
    return await _suggest(core, actor(core, user), target, _found(target, pick), query=query)


async def message_shortcut(core: Core, *, user: str, channel: str, ts: str, shortcut: str) -> Json:
    """Use an entry of a message's menu, by callback id or name.

    Raises:
        ActError: ``shortcut_not_found``, or no such message.
    """
    who = actor(core, user)
    where = core.store.channel(channel)
    message = message_at(core, where, ts, viewer=who)
    app, callback_id = _shortcut(core, shortcut, type_="message")
    more = {
        "callback_id": callback_id,
        "channel": {"id": where.id, "name": where.name or "directmessage"},
        "message_ts": message.ts,
        "message": core.shown.message(message, with_metadata=True),
    }

    async def once() -> Json:
        url = payloads.response_url(core, app, who, where, message)
        return await _sent(core, app, who, "message_action", {**more, "response_url": url})

    return await core.clicked(once)


async def global_shortcut(core: Core, *, user: str, shortcut: str) -> Json:
    """Use a global shortcut, by callback id or name.

    Raises:
        ActError: ``shortcut_not_found``.
    """
    who = actor(core, user)
    app, callback_id = _shortcut(core, shortcut, type_="global")
    return await core.clicked(lambda: _sent(core, app, who, "shortcut", {"callback_id": callback_id}))


def _shortcut(core: Core, key: str, *, type_: str) -> tuple[App, str]:
    for app in core.apps.values():
        found = app.manifest.shortcut(key, type_=type_)
        if found is not None:
            return app, found.callback_id
    raise ActError("shortcut_not_found", f"No app offers a {type_} shortcut {key!r}.", status=404)


async def _sent(core: Core, app: App, user: UserSpec, kind: str, more: Json) -> Json:
    payload = payloads.interaction(core, app, user, kind) | more
    payload["action_ts"] = core.store.timestamps.next()
    ack = await core.delivery.send(app, "interactive", payload)
    return {**outcome_of(ack), "trigger_id": payload["trigger_id"]}


def open_home(core: Core, *, user: str, app: str | None = None) -> View | None:
    """Open an app's Home tab and notify the app; return what is published so far, or None.

    Raises:
        ActError: no such person or app, or ``no_home_tab``.
    """
    who = actor(core, user)
    found = core.app(app)
    if not found.manifest.home_tab:
        raise ActError("no_home_tab", f"{found.spec.name} has no Home tab.")
    view = core.views.home(app_id=found.spec.id, user=who.id)
    channel = core.store.direct(who.id, found.spec.bot_user)
    core.events.home_opened(
        found, user=who.id, channel=channel.id, view=core.views.shown(view) if view else None
    )
    return view


def outcome_of(ack: Ack) -> Json:
    """Return the outcome of a delivery, for the control API."""
    return {"ok": ack.ok, "error": ack.error, "ack_latency_ms": ack.latency_ms}
