"""People fill, submit and close modals, and apps answer."""

from __future__ import annotations

import re
from typing import Any

from localslack import payloads
from localslack.core import Core
from localslack.elements import is_blank, state_of, values_of
from localslack.envelopes import Ack
from localslack.errors import ActError, SlackError
from localslack.ids import elements_of
from localslack.interact import ElementOwner, outcome_of, target_view
from localslack.people import actor
from localslack.shapes import Json
from localslack.views import View, parse_view

TROUBLE = "We had some trouble connecting. Try again?"
REQUIRED = "Please complete this required field."
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


def fill(view: View, values: Json) -> None:
    """Put values in: ``{block_id: {action_id: value}}``, or flat by action id or block id.

    Raises:
        ActError: ``element_not_found`` or ``no_such_option``.
    """
    fields = list(elements_of(view.blocks))
    for key, value in values.items():
        wanted = [
            (block, element, _given(block, element, key, value))
            for block, element in fields
            if key in {block["block_id"], element["action_id"]}
            and not (
                key == block["block_id"] and isinstance(value, dict) and element["action_id"] not in value
            )
        ]
        if not wanted:
            there = ", ".join(f"{b['block_id']}/{e['action_id']}" for b, e in fields)
            raise ActError(
                "element_not_found", f"No field {key!r} here; available: {there or 'none'}.", status=404
            )
        for block, element, given in wanted:
            view.chosen.setdefault(block["block_id"], {})[element["action_id"]] = state_of(element, given)


def _given(block: Json, element: Json, key: str, value: Any) -> Any:  # noqa: ANN401  # see state_of
    nested = key == block["block_id"] and isinstance(value, dict) and element["action_id"] in value
    return value[element["action_id"]] if nested else value


def mistakes(view: View) -> dict[str, str]:
    """Return what Slack itself refuses before it sends a submission to the app, by block id."""
    values = values_of(view.blocks, view.chosen)
    found: dict[str, str] = {}
    for block in view.blocks:
        element = block.get("element")
        if block.get("type") != "input" or not isinstance(element, dict):
            continue
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        words = _mistake(block, element, state)
        if words:
            found[block["block_id"]] = words
    return found


def _mistake(block: Json, element: Json, state: Json) -> str | None:
    if is_blank(state):
        return None if block.get("optional") else REQUIRED
    typed = state.get("value")
    if not isinstance(typed, str):
        return None
    match element.get("type"):
        case "email_text_input" if not _EMAIL.match(typed):
            return "Please enter a valid email address."
        case "url_text_input" if not typed.startswith(("http://", "https://")):
            return "Please enter a valid URL."
        case "number_input" if not _NUMBER.match(typed):
            return "Please enter a number."
        case "plain_text_input":
            least, most = element.get("min_length") or 0, element.get("max_length") or 3000
            if len(typed) < least:
                return f"Please enter at least {least} characters."
            if len(typed) > most:
                return f"Please enter at most {most} characters."
        case _:
            pass
    return None


async def submit(core: Core, *, user: str, view_id: str | None = None, values: Json | None = None) -> Json:
    """Fill and submit a modal; return ``ok``, ``error``, ``errors`` by block id, and the ids of open modals.

    Raises:
        ActError: no such view or field.
    """
    who = actor(core, user)
    target = target_view(core, who, view_id)
    view = _modal(target)
    fill(view, values or {})
    errors = mistakes(view)
    if errors:
        core.views.tell_errors(view, errors)
        return {
            "ok": False,
            "error": "invalid_input",
            "errors": errors,
            "ack_latency_ms": None,
            "open": _open(core, view),
        }
    ack = await core.clicked(lambda: _submission(core, target, view))
    if not ack.ok:
        core.views.tell_errors(view, {"": TROUBLE})
        return {**outcome_of(ack), "errors": {}, "open": _open(core, view)}
    errors = _respond(core, target, view, ack)
    return {**outcome_of(ack), "ok": not errors, "errors": errors, "open": _open(core, view)}


async def _submission(core: Core, target: ElementOwner, view: View) -> Ack:
    payload = payloads.interaction(
        core, target.app, core.store.users[view.user], "view_submission", view=view
    )
    payload["response_urls"] = _response_urls(core, target, view)
    return await core.delivery.send(target.app, "interactive", payload)


def _modal(target: ElementOwner) -> View:
    if target.view is None or target.view.kind != "modal":
        raise ActError("not_a_modal", "Only a modal can be submitted or closed.")
    return target.view


def _open(core: Core, view: View) -> list[str]:
    return [open_view.id for open_view in core.views.stack(view.user)]


def _respond(core: Core, target: ElementOwner, view: View, ack: Ack) -> dict[str, str]:
    body = ack.body or {}
    try:
        match body.get("response_action"):
            case None:
                core.views.close(view)
            case "clear":
                core.views.close(view, whole_stack=True)
            case "update":
                core.views.update(view, parse_view(body.get("view")))
            case "push":
                core.views.push(target.app.spec, view.user, parse_view(body.get("view")))
            case "errors":
                errors = _known_errors(view, body.get("errors"))
                core.views.tell_errors(view, errors)
                return errors
            case other:
                raise SlackError("invalid_response_action", given=other)  # noqa: TRY301  # one way out for all
    except SlackError as exc:
        core.journal.write(
            kind="envelope",
            name="view_submission answer",
            error=exc.code,
            app=target.app.spec.id,
            answer=body,
            **exc.extra,
        )
        core.stats.failures.append(
            {"what": "view_submission answer", "kind": "interactive", "error": exc.code}
        )
        core.views.tell_errors(view, {"": TROUBLE})
        return {"": TROUBLE}
    return {}


def _known_errors(view: View, errors: Any) -> dict[str, str]:  # noqa: ANN401  # whatever the app sent
    inputs = {block["block_id"] for block in view.blocks if block.get("type") == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise SlackError("invalid_errors", inputs=sorted(inputs), given=errors)
    return {str(key): str(words) for key, words in errors.items()}


def _response_urls(core: Core, target: ElementOwner, view: View) -> list[Json]:
    values = values_of(view.blocks, view.chosen)
    made = []
    for block, element in elements_of(view.blocks):
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        channel_id = state.get("selected_conversation") or state.get("selected_channel")
        if not element.get("response_url_enabled") or channel_id not in core.store.channels:
            continue
        channel = core.store.channels[channel_id]
        url = payloads.response_url(core, target.app, core.store.users[view.user], channel)
        made.append(
            {
                "block_id": block["block_id"],
                "action_id": element["action_id"],
                "channel_id": channel.id,
                "response_url": url,
            }
        )
    return made


async def close(core: Core, *, user: str, view_id: str | None = None, whole_stack: bool = False) -> Json:
    """Close a modal (or all of them), and notify the app if it asked for that.

    Raises:
        ActError: no such view.
    """
    who = actor(core, user)
    view = _modal(target_view(core, who, view_id))
    cleared = whole_stack or bool(view.body.get("clear_on_close"))
    for closed in core.views.close(view, whole_stack=cleared):
        if not closed.body.get("notify_on_close"):
            continue
        app = core.apps[closed.app.id]
        payload = payloads.interaction(core, app, who, "view_closed", view=closed)
        payload["is_cleared"] = cleared
        await core.delivery.send(app, "interactive", payload)
    return {"ok": True, "open": _open(core, view)}
