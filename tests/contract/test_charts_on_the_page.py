"""Whoever looks at the thread in a browser sees the picture of a chart, with its meaning in words."""

from __future__ import annotations

import pytest
from playwright.async_api import async_playwright, expect

from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import RUN, Screen
from tests.contract.test_slack_charts import chart_of, run_with
from tests.support.chromium import CHROMIUM, FLAGS

pytestmark = pytest.mark.browser

_LOADED = "image => image.complete && image.naturalWidth > 800"


async def test_the_picture_is_seen_and_described():
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people, async_playwright() as playwright:
        screen = Screen(slack=slack, people=people)
        async with screen.presenter():
            await screen.show(RUN, run_with(chart_of(1, 4)))
            await screen.settled()
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = await browser.new_page()
        await page.goto(slack.url)
        await page.get_by_text("checkout-oncall").first.click()
        await page.get_by_text("2 replies").first.click()
        picture = page.get_by_role("img", name="The canary fails 4 %.").first
        await expect(picture).to_be_visible(timeout=30_000)
        assert await picture.evaluate(_LOADED)
        await browser.close()
