"""The page, in Chromium, by two people at once."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from localslack import LocalSlack
from localslack.shapes import Json
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.waiting import until_now

pytestmark = pytest.mark.browser

Open = Callable[..., Awaitable[Page]]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def card(status: str, *, decided: str = "") -> list[Json]:
    tasks = [
        {"task_id": "look", "title": "Look", "status": "complete"},
        {"task_id": "act", "title": "Roll back", "status": status},
    ]
    row: list[Json] = [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "approve",
                    "style": "primary",
                    "text": plain("Approve"),
                    "confirm": {
                        "title": plain("Sure?"),
                        "text": plain("This acts."),
                        "confirm": plain("Do it"),
                        "deny": plain("No"),
                    },
                },
                {"type": "button", "action_id": "reject", "style": "danger", "text": plain("Reject")},
                {
                    "type": "static_select",
                    "action_id": "watch",
                    "placeholder": plain("Watch for"),
                    "options": [{"text": plain("5 minutes"), "value": "5"}],
                },
            ],
        }
    ]
    said = [{"type": "section", "text": {"type": "mrkdwn", "text": decided}}]
    return [{"type": "plan", "title": "Plan", "tasks": tasks}, *(said if decided else row)]


MODAL: Json = {
    "type": "modal",
    "callback_id": "why",
    "title": plain("Reject"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Reason"),
            "element": {"type": "plain_text_input", "action_id": "t"},
        },
        {
            "type": "input",
            "block_id": "who",
            "label": plain("Tell"),
            "optional": True,
            "element": {"type": "multi_users_select", "action_id": "u"},
        },
    ],
}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One Chromium for all tests here; the address to drive it by."""
    profile = tmp_path_factory.mktemp("chromium")
    command = [
        CHROMIUM,
        *FLAGS,
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port_file = profile / "DevToolsActivePort"
            until_now(lambda: port_file.exists() and "\n" in port_file.read_text(), what="Chromium")
            yield f"http://127.0.0.1:{port_file.read_text().splitlines()[0]}"
        finally:
            process.terminate()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.connect_over_cdp(chromium)
        yield found
        await found.close()


@pytest.fixture
async def at(browser: Browser, slack: LocalSlack) -> AsyncIterator[Open]:
    """Opens the page as somebody; no error may reach the console."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_page(
        user: str, *, path: str = "checkout-oncall", width: int = 1280, dark: bool = False
    ) -> Page:
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = await browser.new_context(viewport={"width": width, "height": 820}, color_scheme=scheme)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        await page.goto(f"{slack.url}/client/{path}?user={user}")
        await page.wait_for_selector("body[data-ready]")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert errors == []


@pytest.fixture
def helper(app):
    """An app that asks for a decision, opens a modal to reject it, and has a Home."""
    deciding(app)
    at_home(app)
    return app


def deciding(app) -> None:

    @app.command("/triage")
    async def triage(ack, command, client):
        if not command["text"]:
            await ack("Usage: `/triage <service>`")
            return
        await ack()
        await client.chat_postMessage(channel=command["channel_id"], text="Triage", blocks=card("pending"))

    @app.action("approve")
    async def approve(ack, body, client):
        await ack()
        place = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(
            **place, text="done", blocks=card("complete", decided=f"Approved by <@{body['user']['id']}>")
        )
        await client.chat_postMessage(
            channel=place["channel"], thread_ts=place["ts"], text="*verified* :white_check_mark:"
        )

    @app.action("reject")
    async def reject(ack, body, client):
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.action("watch")
    async def watch(ack, action, respond):
        await ack()
        await respond(f"watching for {action['selected_option']['value']}")

    @app.view("why")
    async def why(ack, view, client):
        reason = view["state"]["values"]["why"]["t"]["value"]
        told = view["state"]["values"]["who"]["u"]["selected_users"]
        if len(reason) < 5:
            await ack(response_action="errors", errors={"why": "Say more."})
            return
        await ack()
        await client.chat_postMessage(channel="C0CHECKOUT", text=f"Rejected: {reason}, told {len(told)}")


def at_home(app) -> None:
    @app.event("app_home_opened")
    async def home(event, client):
        button = {"type": "button", "action_id": "poke", "text": plain("Poke")}
        blocks = [{"type": "section", "text": plain("Your services"), "accessory": button}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    @app.action("poke")
    async def poke(ack, body, client):
        await ack()
        blocks = [{"type": "section", "text": plain("Poked")}]
        await client.views_publish(user_id=body["user"]["id"], view={"type": "home", "blocks": blocks})

    @app.shortcut("triage_this")
    async def triage_this(ack, shortcut, respond):
        await ack()
        await respond(f"triaging: {shortcut['message']['text']}")


async def test_one_person_asks_and_another_approves(helper, serve, at: Open):
    async with serve(helper):
        ana, ben = await asyncio.gather(at("ana"), at("U0BEN00001", path="C0CHECKOUT"))
        await expect(ana.locator("#person")).to_have_value("U0ANA00001")
        await ana.locator("#composer").fill("/tri")
        await expect(ana.locator(".completion").first).to_contain_text("/triage <service>")
        await ana.locator("#composer").press("Tab")
        await ana.keyboard.type("checkout")
        await ana.keyboard.press("Enter")

        await ben.locator('[data-testid="timeline"] [data-action-id="approve"]').click()
        await ben.get_by_test_id("confirm").click()
        await expect(ana.locator('[data-testid="timeline"]')).to_contain_text("Approved by @Ben Okafor")
        await expect(ana.locator('[data-testid="timeline"] [data-task-id="act"]')).to_have_attribute(
            "data-status", "complete"
        )
        await expect(ana.locator('[data-action-id="approve"]')).to_have_count(0)

        await ana.get_by_test_id("replies").click()
        thread = ana.get_by_test_id("thread")
        await expect(thread.locator("strong")).to_have_text("verified")
        await ana.locator("#thread-composer").fill("thanks @ben")
        await ana.locator("#thread-composer").press("Enter")
        await expect(ben.get_by_test_id("replies")).to_contain_text("2 replies")
        await expect(thread).to_contain_text("thanks @Ben Okafor")


async def test_a_confirm_that_is_denied_does_nothing(helper, serve, at: Open, people):
    async with serve(helper):
        ana = await at("ana")
        await people.slash("/triage checkout", user="ana", channel="checkout-oncall")
        await ana.locator('[data-action-id="approve"]').click()
        await ana.get_by_role("button", name="No").click()
        await expect(ana.locator("dialog")).to_have_count(0)
        assert "block_actions" not in [e["name"] for e in await people.log()]


async def test_a_modal_shows_errors_at_their_field_and_closes_when_sent(helper, serve, at: Open, people):
    async with serve(helper):
        ana = await at("ana", dark=True)
        await people.slash("/triage checkout", user="ana", channel="checkout-oncall")
        await ana.locator('[data-action-id="reject"]').click()
        modal = ana.get_by_test_id("modal")
        await ana.get_by_test_id("modal-submit").click()
        await expect(modal.get_by_role("alert")).to_have_text("Please complete this required field.")
        await modal.get_by_label("Reason").fill("no")
        await modal.locator('[data-action-id="u"]').click()
        await ana.locator(".popup").get_by_role("option", name="Ben Okafor").click()
        await ana.get_by_role("button", name="Done").click()
        await ana.get_by_test_id("modal-submit").click()
        await expect(modal.get_by_role("alert")).to_have_text("Say more.")
        await expect(modal.get_by_label("Reason")).to_have_value("no")
        await modal.get_by_label("Reason").fill("not now, please")
        await ana.get_by_test_id("modal-submit").click()
        await expect(modal).to_have_count(0)
        await expect(ana.get_by_test_id("timeline")).to_contain_text("Rejected: not now, please, told 1")


async def test_private_answers_and_failures_are_shown_to_one_person(helper, serve, at: Open, people):
    async with serve(helper):
        ana, ben = await asyncio.gather(at("ana"), at("ben"))
        await ana.locator("#composer").fill("/triage")
        await ana.keyboard.press("Enter")
        private = ana.locator(".message.private")
        await expect(private).to_contain_text("Only visible to you")
        await expect(private).to_contain_text("Usage: /triage <service>")
        await people.slash("/triage checkout", user="ana", channel="checkout-oncall")
        await ana.locator('[data-action-id="watch"]').click()
        await ana.get_by_role("option", name="5 minutes").click()
        await expect(ana.get_by_test_id("timeline")).to_contain_text("watching for 5")
        await expect(ana.locator('[data-action-id="watch"]')).to_contain_text("5 minutes")
        await expect(ben.locator(".message.private")).to_have_count(0)
        async with people.faulty(lose_acks=-1):
            await ana.locator("#composer").fill("/triage x")
            await ana.keyboard.press("Enter")
            await expect(private.last).to_contain_text("/triage failed with the error operation_timeout")


async def test_a_message_has_shortcuts_json_and_reactions(helper, serve, at: Open, people):
    async with serve(helper):
        ana = await at("ana")
        sent = await people.post("it is *slow*", user="ben", channel="checkout-oncall")
        message = ana.locator(f'[data-testid="timeline"] [data-message-ts="{sent.ts}"]')
        await message.hover()
        await message.get_by_role("button", name="More actions").click()
        await ana.get_by_role("menuitem", name="Triage this").click()
        await expect(ana.locator(".message.private")).to_contain_text("triaging: it is slow")
        await message.hover()
        await message.get_by_role("button", name="View JSON").click()
        await expect(ana.locator("dialog.json")).to_contain_text(sent.ts)
        await ana.keyboard.press("Escape")
        await message.hover()
        await message.get_by_role("button", name="Add reaction").click()
        await ana.locator('[data-emoji="eyes"]').click()
        await expect(message.locator('[data-reaction="eyes"]')).to_have_text("👀1")
        await message.locator('[data-reaction="eyes"]').click()
        await expect(message.locator('[data-reaction="eyes"]')).to_have_count(0)


async def test_home_is_published_and_its_buttons_work(helper, serve, at: Open):
    async with serve(helper):
        ana = await at("ana")
        await ana.locator('[data-app="helper"]').click()
        home = ana.get_by_test_id("home")
        await home.get_by_role("button", name="Poke").click()
        await expect(home).to_contain_text("Poked")


async def test_channels_show_what_is_unread_until_it_is_read(at: Open, people):
    ana = await at("ana")
    room = ana.locator('[data-channel="incidents"]')
    await people.post("news", user="ben", channel="incidents")
    await people.post("more", user="ben", channel="incidents")
    await expect(room.locator(".badge")).to_have_text("2")
    await room.click()
    await expect(ana.get_by_test_id("timeline")).to_contain_text("more")
    await expect(room.locator(".badge")).to_have_count(0)
    await ana.locator("#person").select_option("U0BEN00001")
    await expect(ana.locator("body[data-ready] .person-picker")).to_contain_text("Ben Okafor")
    await expect(ana).to_have_url(re.compile(r"/client/C0INCIDENT\?user=U0BEN00001$"))


async def test_a_phone_shows_one_thing_at_a_time(at: Open, people):
    root = await people.post("root", user="ben", channel="checkout-oncall")
    await people.post("reply", user="ben", channel="checkout-oncall", thread_ts=root.ts)
    ana = await at("ana", width=390)
    await ana.get_by_test_id("replies").click()
    await expect(ana.get_by_test_id("thread").locator(".message").last).to_contain_text("reply")
    await expect(ana.locator("#composer")).not_to_be_in_viewport()
    await ana.get_by_role("button", name="Back to the channel").click()
    await ana.get_by_role("button", name="Back", exact=True).click()
    await ana.locator('[data-channel="general"]').click()
    await expect(ana.locator(".bar h2").first).to_have_text("general")
    overflow = await ana.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0


async def test_the_drawer_shows_traffic_and_sets_faults(helper, serve, at: Open, people):
    async with serve(helper):
        ana = await at("ana")
        await ana.get_by_test_id("drawer-button").click()
        await people.slash("/triage checkout", user="ana", channel="checkout-oncall")
        await expect(ana.get_by_test_id("log")).to_contain_text("/triage")
        await expect(ana.get_by_test_id("log")).to_contain_text("chat.postMessage")
        await ana.get_by_role("tab", name="Faults").click()
        async with ana.expect_response("**/control/faults"):
            await ana.locator('[data-fault="double_click"]').check()
        assert (await people.faults())["double_click"]


async def test_text_from_people_and_apps_is_never_markup(app, at: Open, people):
    nasty = "<img src=x onerror=alert(1)>"
    await people.post(nasty, user="ben", channel="checkout-oncall")
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": f"&lt;b&gt; {nasty} <javascript:alert(1)|click>"},
    }
    await app.client.chat_postMessage(
        channel="C0CHECKOUT",
        text="x",
        blocks=[section, {"type": "markdown", "text": f"{nasty} [a](javascript:alert(1))"}],
    )
    ana = await at("ana")
    timeline = ana.get_by_test_id("timeline")
    await expect(timeline).to_contain_text(nasty)
    assert await timeline.locator("img").count() == 0
    assert await timeline.locator('a[href^="javascript"]').count() == 0
