"""The shop's page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.demo.open_shop import OpenShop
from tests.support.chromium import CHROMIUM, FLAGS

pytestmark = [pytest.mark.demo, pytest.mark.server, pytest.mark.browser]


@pytest.fixture
def page(shop: OpenShop) -> Iterator[Page]:
    """The page, freshly opened; whatever goes wrong in its script fails the test."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        made = browser.new_page()
        problems: list[str] = []
        made.on("pageerror", lambda error: problems.append(str(error)))
        made.goto(str(shop.facts["control_url"]))
        yield made
        browser.close()
        assert problems == []


def test_a_newcomer_switches_a_fault_on_sees_who_is_hurt_and_switches_it_off(
    page: Page, shop: OpenShop
) -> None:
    shop.until_not_firing("CheckoutHighErrorRate", "checkout")
    checkout = page.locator('[data-box="checkout-stable"]')
    expect(checkout).to_have_class("well")
    card = page.locator("#fault-false-alarm")
    card.get_by_role("button", name="Switch on").click()
    expect(card.locator(".state")).to_have_text("on")
    expect(checkout).to_have_class("bad")
    expect(page.locator("#alerts")).to_contain_text("CheckoutHighErrorRate")
    card.get_by_role("button", name="Switch off").click()
    expect(card.locator(".state")).to_have_text("off")
    expect(checkout).to_have_class("well")


def test_the_link_of_an_alert_leads_to_what_it_means(page: Page, shop: OpenShop) -> None:
    page.goto(f"{shop.facts['control_url']}/#HighLatency")
    page.reload()
    expect(page.locator("#HighLatency")).to_be_visible()
    expect(page.locator("#HighLatency + dd")).to_have_text(re.compile("longer than 0.75 s"))
