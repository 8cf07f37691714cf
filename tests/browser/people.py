"""People at a browser: where they look, and what they do with mouse and keyboard."""

from __future__ import annotations

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from demo.scenarios.world import DemoWorld

ANA, BEN = "U0ANA00001", "U0BEN00001"
CHANNEL = "checkout-oncall"
SOON_MS = 60_000
"""As long as an answer that involves the bot may take on a busy machine."""


class Room:
    """Opens pages, each in a browser of its own, and closes them all."""

    def __init__(self, world: DemoWorld, browser: Browser) -> None:
        self.problems: list[str] = []
        self._world = world
        self._browser = browser
        self._open: list[BrowserContext] = []

    async def person(self, user: str) -> Slack:
        """Sit down somebody at Slack, in the channel of those on call."""
        page = await self._page(f"{self._world.slack_url}/?user={user}")
        await page.get_by_role("navigation").get_by_text(CHANNEL, exact=True).click()
        slack = Slack(page)
        await expect(slack.composer).to_be_visible(timeout=SOON_MS)
        return slack

    async def shop(self) -> Page:
        """Open the shop's page."""
        return await self._page(self._world.shop_url)

    async def close(self) -> None:
        for context in self._open:
            await context.close()

    async def _page(self, url: str) -> Page:
        context = await self._browser.new_context(viewport={"width": 1440, "height": 1000})
        self._open.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        await page.goto(url)
        return page


class Slack:
    """One person's Slack."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.channel = page.get_by_role("log", name="Messages")
        self.thread = page.get_by_role("log", name="Thread")
        self.composer = page.get_by_role("textbox", name=f"Message #{CHANNEL}")

    def message(self, text: str) -> Locator:
        """Find a message of the channel by what it says."""
        return self.channel.get_by_role("article").filter(has_text=text)

    def reply(self, text: str) -> Locator:
        """Find a message of the open thread by what it says."""
        return self.thread.get_by_role("article").filter(has_text=text)

    async def say(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def open_thread_of(self, text: str) -> None:
        """Click the line under a message that counts its replies."""
        await self.message(text).get_by_role("button", name="Last reply").click(timeout=SOON_MS)
        await expect(self.page.get_by_role("heading", name="Thread")).to_be_visible()

    async def approve(self) -> None:
        """Click *Approve*, read what it asks, and say yes."""
        await self.thread.get_by_role("button", name="Approve", exact=True).click(timeout=SOON_MS)
        asked = self.page.get_by_role("dialog", name="Approve this?")
        await expect(asked).to_contain_text("Roll checkout back from 1.4.2 to 1.4.1.")
        await asked.get_by_role("button", name="Approve", exact=True).click()
        await expect(asked).to_have_count(0)

    async def home(self) -> Locator:
        """Open the bot's Home tab."""
        await self.page.get_by_role("navigation").get_by_text("pilothouse", exact=True).click()
        await expect(self.page.get_by_role("tab", name="Home")).to_be_visible()
        return self.page.get_by_role("tabpanel")
