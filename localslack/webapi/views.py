"""views.*: modals and Home tabs."""

from __future__ import annotations

from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.tickets import Trigger
from localslack.views import View, parse_view
from localslack.webapi.call import ApiCall, Method


def open_(call: ApiCall) -> Json:
    """Open a modal for the person whose act issued the trigger id."""
    trigger = _trigger(call)
    return _answer(call, call.core.views.open(call.app.spec, trigger.user, parse_view(call.args.get("view"))))


def push(call: ApiCall) -> Json:
    """Put a modal on top of the one the act happened in."""
    trigger = _trigger(call)
    return _answer(call, call.core.views.push(call.app.spec, trigger.user, parse_view(call.args.get("view"))))


def _trigger(call: ApiCall) -> Trigger:
    key = call.maybe("trigger_id") or call.maybe("interactivity_pointer")
    if key is None:
        raise SlackError("invalid_trigger_id")
    return call.core.tickets.exchange(key, app_id=call.app.spec.id)


def update(call: ApiCall) -> Json:
    """Replace the content of an open view."""
    view_id, external_id = call.maybe("view_id"), call.maybe("external_id")
    if view_id is None and external_id is None:
        raise SlackError("invalid_arguments")
    view = call.core.views.find(view_id, external_id)
    if view is None or view.app.id != call.app.spec.id:
        raise SlackError("not_found")
    body = parse_view(call.args.get("view"))
    return _answer(call, call.core.views.update(view, body, expected_hash=call.maybe("hash")))


def publish(call: ApiCall) -> Json:
    """Set the app's Home tab for one person."""
    user = call.user("user_id")
    if not call.app.manifest.home_tab:
        raise SlackError("not_enabled")
    body = parse_view(call.args.get("view"))
    view = call.core.views.publish(call.app.spec, user.id, body, expected_hash=call.maybe("hash"))
    return _answer(call, view)


def _answer(call: ApiCall, view: View) -> Json:
    return {"ok": True, "view": call.core.views.shown(view)}


METHODS: dict[str, Method] = {
    "views.open": open_,
    "views.push": push,
    "views.update": update,
    "views.publish": publish,
}
