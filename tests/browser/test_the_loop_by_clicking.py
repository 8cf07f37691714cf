"""What people on call do, by mouse and keyboard alone, in real browsers, and what they see."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.people import ANA, BEN, SOON_MS, Room, Slack

pytestmark = [
    pytest.mark.browser,
    pytest.mark.demo,
    pytest.mark.server,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]

ALERT = "checkout: CheckoutHighErrorRate"
ALERT_MS = 90_000
"""Prometheus and Alertmanager have to notice first."""
MENDED_MS = 120_000
"""An alert ends only when its window has moved on."""


async def test_a_command_is_completed_by_keyboard_and_its_usage_error_is_seen_by_that_person_alone(
    room: Room,
):
    ana, ben = await room.person(ANA), await room.person(BEN)
    await ana.composer.press_sequentially("/tri")
    await expect(ana.page.get_by_role("option", name="/triage", selected=True)).to_contain_text(
        "<service> [since 30m]"
    )
    await ana.composer.press("Tab")
    await expect(ana.composer).to_have_value("/triage ")
    await ana.composer.press_sequentially("checkout since yesterday")
    await ana.composer.press("Enter")
    answer = ana.message("Only visible to you")
    await expect(answer).to_contain_text("yesterday", timeout=SOON_MS)
    await expect(answer).to_contain_text(re.compile(r"Try /triage \w+ since 30m"))
    await ana.say("I had better write 30m.")
    await expect(ben.message("I had better write 30m.")).to_be_visible(timeout=SOON_MS)
    await expect(ben.message("Only visible to you")).to_have_count(0)


async def test_any_message_can_be_triaged_by_its_menu_once_a_modal_knows_which_service(room: Room):
    ana = await room.person(ANA)
    await ana.say("People say that buying feels slow.")
    message = ana.message("People say that buying feels slow.")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await ana.page.get_by_role("menuitem", name="Triage this").click()
    modal = ana.page.get_by_role("dialog", name="Triage a service")
    await modal.get_by_role("button", name="Choose a service").click(timeout=SOON_MS)
    await modal.get_by_role("option", name="payments").click()
    await modal.get_by_role("button", name="30 minutes").click()
    await modal.get_by_role("option", name="15 minutes").click()
    await modal.get_by_role("button", name="Triage", exact=True).click()
    await expect(modal).to_have_count(0, timeout=SOON_MS)
    await ana.open_thread_of("People say that buying feels slow.")
    await expect(ana.thread.get_by_role("heading", name="Triage payments: no fault found")).to_be_visible(
        timeout=SOON_MS
    )
    await expect(ana.reply("Errors in the logs")).to_contain_text("Checked:", timeout=SOON_MS)
    await ana.thread.get_by_role("button", name="Details").last.click()
    details = ana.page.get_by_role("dialog", name="Details")
    await expect(details).to_contain_text("over 15 min", timeout=SOON_MS)
    await details.get_by_role("button", name="Close", exact=True).last.click()


async def test_a_diagnosis_shows_its_details_in_private_and_what_people_say_of_it_is_seen_by_all(room: Room):
    ana, ben = await room.person(ANA), await room.person(BEN)
    await ana.say("/triage payments")
    for person in (ana, ben):
        await person.open_thread_of("Triage payments: no fault found")
    await ana.thread.get_by_role("button", name="Details").last.click(timeout=SOON_MS)
    why = ana.page.get_by_role("dialog", name="Details")
    await expect(why).to_contain_text("No fault found: errors and latency of payments", timeout=SOON_MS)
    await expect(why).to_contain_text("metrics")
    await expect(ben.page.get_by_role("dialog")).to_have_count(0)
    await why.get_by_role("button", name="Close", exact=True).last.click()
    await ana.thread.get_by_role("button", name="Right", exact=True).click()
    await expect(ben.thread.get_by_text("1 person confirmed this")).to_be_visible(timeout=SOON_MS)
    await ben.thread.get_by_role("button", name="Other").click()
    other = ben.page.get_by_role("dialog", name="What was it?")
    await other.get_by_role("textbox").fill("The bank was away.", timeout=SOON_MS)
    await other.get_by_role("button", name="Send", exact=True).click()
    said = "1 person confirmed this, 1 person named another cause (The bank was away.)"
    await expect(ana.thread.get_by_text(said)).to_be_visible(timeout=SOON_MS)


async def test_a_finished_run_is_on_the_home_tab_with_who_asked_for_it(room: Room):
    ana = await room.person(ANA)
    await ana.say("/triage storefront")
    said = ana.message("Triage storefront: no fault found")
    await expect(said).to_be_visible(timeout=SOON_MS)
    home = await ana.home()
    await expect(home.get_by_role("heading", name="Recent")).to_be_visible(timeout=SOON_MS)
    await expect(home.get_by_text("Triage storefront: no fault found")).to_be_visible()
    await expect(home).to_contain_text("by @Ana Costa")
    await expect(home).to_contain_text("All quiet.")


async def test_a_bad_release_is_found_rolled_back_by_a_second_person_and_seen_to_be_mended(room: Room):
    shop = await room.shop()
    await expect(shop.get_by_role("status")).to_have_text("All is well", timeout=SOON_MS)
    ana, ben = await room.person(ANA), await room.person(BEN)
    await break_the_shop(shop)

    await ana.message(ALERT).get_by_role("button", name="Triage", exact=True).click(timeout=ALERT_MS)
    await ana.open_thread_of(ALERT)
    await reads_the_cause(ana)

    await ana.approve()
    refusal = ana.reply("Only visible to you")
    await expect(refusal).to_contain_text("You asked for this, so you cannot approve it.", timeout=SOON_MS)

    await expect((await ben.home()).get_by_role("heading", name="Waiting for you")).to_be_visible(
        timeout=SOON_MS
    )
    await ben.page.go_back()
    await ben.open_thread_of(ALERT)
    await expect(ben.reply("Only visible to you")).to_have_count(0)
    await ben.approve()
    for person in (ana, ben):
        await sees_it_mended(person)

    await expect(shop.get_by_role("status")).to_have_text("All is well", timeout=MENDED_MS)
    await expect(fault(shop)).to_contain_text("cured: somebody fixed it")
    await fault(shop).get_by_role("button", name="Tidy up").click()
    await expect(fault(shop).get_by_role("button", name="Switch on")).to_be_visible(timeout=SOON_MS)


def fault(shop: Page):
    return shop.get_by_role("article").filter(has=shop.get_by_role("heading", name="Bad release"))


async def break_the_shop(shop: Page) -> None:
    await fault(shop).get_by_role("button", name="Switch on").click()
    await expect(fault(shop).get_by_role("button", name="Switch off")).to_be_visible(timeout=SOON_MS)
    await expect(shop.get_by_role("status")).to_have_text("Buyers are hurt", timeout=ALERT_MS)


async def reads_the_cause(person: Slack) -> None:
    cause = person.reply("Cause: checkout 1.4.2 fails")
    await expect(cause).to_contain_text("ikely", timeout=SOON_MS)
    await expect(cause).to_contain_text("Waiting for @oncall")
    await expect(person.reply("The problem started at")).to_contain_text("Deployed checkout 1.4.2")
    await expect(person.reply("Approval needed: Roll checkout back from 1.4.2 to 1.4.1")).to_contain_text(
        "@Ana Costa asked for this and cannot approve it", timeout=SOON_MS
    )


async def sees_it_mended(person: Slack) -> None:
    fix = person.reply("Fix: done and verified")
    await expect(fix).to_contain_text("Approved by @Ben Okafor", timeout=MENDED_MS)
    await expect(fix).to_contain_text("All traffic of checkout is back on 1.4.1")
    await expect(person.page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    await expect(person.page.get_by_role("button", name="Reject…", exact=True)).to_have_count(0)
    await expect(person.thread.get_by_role("article").last).to_contain_text(
        "Triage checkout: recovered.", timeout=SOON_MS
    )
    await expect(person.thread.get_by_role("heading", name="Triage checkout: recovered")).to_be_visible()
    await expect(person.message(ALERT)).to_contain_text("resolved after", timeout=MENDED_MS)
    await expect(person.message(ALERT)).to_contain_text(
        "Roll checkout back from 1.4.2 to 1.4.1, approved by @Ben"
    )
    await expect(person.message(ALERT).get_by_role("button", name="Triage", exact=True)).to_have_count(0)
