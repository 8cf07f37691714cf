"""How far somebody scrolls on a phone: threads of localslack, opened in Chromium 420 pixels wide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from bench.reading.measure import states_of, thread_messages
from bench.reading.recording import RecordedRun
from bot.adapters.slack.client import open_client
from localslack import LocalSlack, LocalSlackClient

_CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)
_PHONE = {"width": 420, "height": 720}
_DESK = {"width": 1440, "height": 1000}
_CHANNEL = "checkout-oncall"
_BUTTONS_AT = """log => {
    const named = name => [...log.querySelectorAll('button')].filter(b => b.textContent.trim() === name);
    const first = named('Approve')[0] || named('Details').at(-1);
    const top = log.getBoundingClientRect().top - log.scrollTop;
    return first ? first.getBoundingClientRect().bottom - top : log.scrollHeight;
}"""


async def screens(runs: Sequence[RecordedRun], *, pictures: Path | None = None) -> dict[str, float]:
    """Return the screens of 720 pixels to the buttons, by scenario: to *Approve*, or at the end to *Details*.

    With ``pictures`` the threads are stored there, light and dark.
    """
    found: dict[str, float] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_FLAGS))
        for recorded in runs:
            found[recorded.scenario] = await _screens_of(browser, recorded, pictures)
        await browser.close()
    return found


async def _screens_of(browser: Browser, recorded: RecordedRun, pictures: Path | None) -> float:
    run, now = states_of(recorded)[0]
    first, *replies = thread_messages(run, recorded, now=now)
    async with LocalSlack() as slack, LocalSlackClient(slack.url):
        async with open_client(token=slack.bot_token, api_url=slack.api_url) as client:
            root = await client.chat_postMessage(channel=_CHANNEL, text=first.text, blocks=list(first.blocks))
            for reply in replies:
                await client.chat_postMessage(
                    channel=_CHANNEL, text=reply.text, blocks=list(reply.blocks), thread_ts=str(root["ts"])
                )
            link = await client.chat_getPermalink(channel=str(root["channel"]), message_ts=str(root["ts"]))
        context = await browser.new_context(viewport=_PHONE)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(str(link["permalink"]))
        thread = page.get_by_role("log", name="Thread")
        await thread.get_by_role("article").nth(len(replies)).wait_for(timeout=60_000)
        height = await thread.evaluate(_BUTTONS_AT)
        await context.close()
        if pictures is not None:
            await _photograph(browser, str(link["permalink"]), pictures / recorded.scenario)
    return round(float(height) / _PHONE["height"], 2)


async def _photograph(browser: Browser, url: str, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    for scheme, size in (("light", _DESK), ("dark", _DESK), ("light", _PHONE)):
        context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(url)
        await page.get_by_role("log", name="Thread").get_by_role("article").first.wait_for(timeout=60_000)
        await page.get_by_role("log", name="Thread").evaluate("log => { log.scrollTop = 0 }")
        await page.screenshot(path=f"{name}-{scheme}-{size['width']}.png")
        await context.close()
