"""Modals and Home tabs, by an unmodified Bolt app."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from localslack import ControlError
from localslack.shapes import Json
from tests.support.waiting import LIMIT_S

ROOM = "checkout-oncall"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def ask(block_id: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id.title()),
        "element": element,
        **more,
    }


def modal(*blocks: Json, **more: Any) -> Json:
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Form"),
        "submit": plain("Send"),
        "blocks": list(blocks),
        **more,
    }


WHY = ask("why", {"type": "plain_text_input", "action_id": "t", "min_length": 3})
NEXT = ask(
    "next",
    {"type": "static_select", "action_id": "s", "options": [{"text": plain("Watch"), "value": "w"}]},
    optional=True,
)


@pytest.fixture
def opening(app):
    """The app opens the view it is given on /triage."""

    def use(view: Json) -> None:
        @app.command("/triage")
        async def triage(ack, command, client):
            await client.views_open(trigger_id=command["trigger_id"], view=view)
            await ack()

    return use


async def test_what_is_put_into_a_modal_reaches_the_app(app, opening, serve, people):
    heard: list[Json] = []

    @app.view("form")
    async def form(ack, view):
        heard.append(view)
        await ack()

    opening(modal(WHY, NEXT, private_metadata="run-7"))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        outcome = await people.submit({"why": {"t": "because"}, "s": "w"}, user="ana")
        assert outcome.ok
        assert await people.views(user="ana") == []
    values = heard[0]["state"]["values"]
    assert values["why"]["t"] == {"type": "plain_text_input", "value": "because"}
    assert values["next"]["s"]["selected_option"]["value"] == "w"
    assert heard[0]["private_metadata"] == "run-7"


async def test_slack_itself_refuses_a_missing_or_short_field(app, opening, serve, people):
    opening(modal(WHY, ask("mail", {"type": "email_text_input", "action_id": "m"})))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        outcome = await people.submit({"why": "no", "mail": "nonsense"}, user="ana")
        assert outcome.json["errors"] == {
            "why": "Please enter at least 3 characters.",
            "mail": "Please enter a valid email address.",
        }
        assert (await people.submit({"why": None}, user="ana")).json["errors"][
            "why"
        ] == "Please complete this required field."


async def test_errors_of_the_app_are_shown_at_their_block(app, opening, serve, people):
    @app.view("form")
    async def form(ack):
        await ack(response_action="errors", errors={"why": "Not good enough."})

    opening(modal(WHY))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        outcome = await people.submit({"why": "because"}, user="ana")
        assert not outcome.ok
        (view,) = await people.views(user="ana")
        assert view["errors"] == {"why": "Not good enough."}


async def test_errors_at_a_block_that_is_not_there_are_trouble(app, opening, serve, people):
    @app.view("form")
    async def form(ack):
        await ack(response_action="errors", errors={"nowhere": "x"})

    opening(modal(WHY))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        await people.submit({"why": "because"}, user="ana")
        (view,) = await people.views(user="ana")
        assert view["errors"] == {"": "We had some trouble connecting. Try again?"}


async def test_a_submission_may_push_update_and_clear(app, opening, serve, people):
    @app.view("form")
    async def form(ack):
        await ack(response_action="push", view=modal(callback_id="second"))

    @app.view("second")
    async def second(ack):
        await ack(response_action="update", view=modal(callback_id="third", title=plain("Third")))

    @app.view("third")
    async def third(ack):
        await ack(response_action="clear")

    opening(modal(WHY))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        await people.submit({"why": "because"}, user="ana")
        below, above = await people.views(user="ana")
        assert above["previous_view_id"] == below["id"] == above["root_view_id"]
        await people.submit(user="ana")
        assert [v["title"]["text"] for v in await people.views(user="ana")] == ["Form", "Third"]
        await people.submit(user="ana")
        assert await people.views(user="ana") == []


async def test_closing_tells_an_app_that_asked(app, opening, serve, people):
    closed: list[bool] = []

    @app.view_closed("form")
    async def form(ack, body):
        closed.append(body["is_cleared"])
        await ack()

    opening(modal(WHY, notify_on_close=True))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        await people.close(user="ana")
        await people.slash("/triage x", user="ana", channel=ROOM)
        await people.close(user="ana", whole_stack=True)
    assert closed == [False, True]


async def test_what_was_put_in_stays_when_the_app_updates_the_view(app, opening, serve, people):
    opening(
        modal(
            ask(
                "svc",
                {
                    "type": "static_select",
                    "action_id": "s",
                    "options": [{"text": plain("Pay"), "value": "pay"}],
                },
                dispatch_action=True,
            )
        )
    )

    @app.action("s")
    async def chose(ack, body, client):
        await ack()
        blocks = [*body["view"]["blocks"], WHY]
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=modal(*blocks))
        updated.set()

    updated = asyncio.Event()
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        await people.click(user="ana", action_id="s", value="pay")
        async with asyncio.timeout(LIMIT_S):
            await updated.wait()
        (view,) = await people.views(user="ana")
        assert [b["block_id"] for b in view["blocks"]] == ["svc", "why"]
        assert view["state"]["values"]["svc"]["s"]["selected_option"]["value"] == "pay"


async def test_an_old_hash_is_a_conflict(app, opening, serve, people, api):
    opening(modal(WHY))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        (view,) = await people.views(user="ana")
        assert (await api("views.update", view_id=view["id"], hash=view["hash"], view=modal(NEXT)))["ok"]
        again = await api("views.update", view_id=view["id"], hash=view["hash"], view=modal(WHY))
        assert again["error"] == "hash_conflict"
        assert (await api("views.update", view_id="V00000000", view=modal()))["error"] == "not_found"


async def test_a_trigger_opens_one_modal_and_only_while_it_is_fresh(app, serve, people, api):
    @app.command("/triage")
    async def triage(ack):
        await ack()

    async with serve(app):
        trigger = (await people.slash("/triage x", user="ana", channel=ROOM)).trigger_id
        assert (await api("views.open", trigger_id=trigger, view=modal()))["ok"]
        assert (await api("views.open", trigger_id=trigger, view=modal()))["error"] == "exchanged_trigger_id"
        assert (await api("views.open", trigger_id="1.2.x", view=modal()))["error"] == "invalid_trigger_id"


async def test_a_fourth_modal_is_too_many(app, serve, people, api):
    @app.command("/triage")
    async def triage(ack):
        await ack()

    async with serve(app):
        for method in ("views.open", "views.push", "views.push"):
            trigger = (await people.slash("/triage x", user="ana", channel=ROOM)).trigger_id
            assert (await api(method, trigger_id=trigger, view=modal()))["ok"]
        trigger = (await people.slash("/triage x", user="ana", channel=ROOM)).trigger_id
        assert (await api("views.push", trigger_id=trigger, view=modal()))["error"] == "push_limit_reached"


async def test_home_is_published_to_one_person_and_its_buttons_work(app, serve, people):
    heard: list[Json] = []

    @app.event("app_home_opened")
    async def opened(event, client):
        button = {"type": "button", "action_id": "go", "text": plain("Go")}
        view = {"type": "home", "blocks": [{"type": "section", "text": plain("Yours"), "accessory": button}]}
        await client.views_publish(user_id=event["user"], view=view)
        published.set()

    @app.action("go")
    async def go(ack, body):
        heard.append(body["container"])
        await ack()

    published = asyncio.Event()
    async with serve(app):
        assert await people.open_home(user="ana") is None
        async with asyncio.timeout(LIMIT_S):
            await published.wait()
        view = await people.home(user="ana")
        assert view is not None
        assert await people.home(user="ben") is None
        assert (await people.click(user="ana", home_of="helper", action_id="go")).ok
    assert heard == [{"type": "view", "view_id": view["id"]}]


async def test_a_field_that_is_not_there_is_named_with_those_that_are(app, opening, serve, people):
    opening(modal(WHY))
    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        with pytest.raises(ControlError, match=r"No field 'reason' here; available: why/t") as caught:
            await people.submit({"reason": "x"}, user="ana")
    assert caught.value.status == 404
