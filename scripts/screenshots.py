"""Plays a bad release in the demo, by clicking, and takes the pictures of docs/images."""

from __future__ import annotations

import asyncio
import base64
import struct
import sys
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"

sys.path.insert(0, str(ROOT))

from demo.scenarios.play import warm_up  # noqa: E402  # the checkout's own, wherever this is called from
from demo.scenarios.stage import stage  # noqa: E402
from demo.scenarios.world import DemoWorld, running  # noqa: E402

Theme = Literal["light", "dark"]
Colours: TypeAlias = npt.NDArray[np.uint8]
Counts: TypeAlias = npt.NDArray[np.intp]

ANA, BEN = "U0ANA00001", "U0BEN00001"
WAIT_MS = 120_000
READING_S = 10
"""What a person takes to read an alert; by then the shop's page shows the harm."""
WATCH_S = 30
"""Long enough to be a watch worth showing."""
SHOP_TRADES_S = 120
"""The shop's page draws the last three minutes."""
WINDOW: ViewportSize = {"width": 500, "height": 900}
"""A thread fills a window as narrow as this, and two side by side can still be read when made smaller."""
GAP = 18
SHOP: ViewportSize = {"width": 1100, "height": 900}
SCALE = 1.35
MOST_BYTES = 400_000
FLAGS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
FRAME = """<!doctype html><style>
  body {{ margin: 0; padding: {gap}px; display: flex; gap: {gap}px; width: max-content; background: {desk}; }}
  img {{ width: {width}px; border-radius: 12px; box-shadow: 0 0 0 1px {edge}, 0 10px 30px {shade}; }}
</style><img src="{left}"><img src="{right}">"""
PIXELS = """async url => {
  const image = new Image();
  image.src = url;
  await image.decode();
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let text = "";
  for (let at = 0; at < data.length; at += 9999) text += String.fromCharCode(...data.subarray(at, at + 9999));
  return [image.width, image.height, btoa(text)];
}"""
WITHOUT_FOLDER = """folder => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) walker.currentNode.data = walker.currentNode.data.replaceAll(folder, "");
}"""
"""The temporary folder of this machine says nothing to a reader."""
HEIGHT_TO_END = """message => {
  const log = message.closest("[role=log]");
  const end = log.scrollHeight - (message.offsetTop - log.offsetTop);
  return Math.round(innerHeight - log.clientHeight + end);
}"""
"""How high a window is that shows a thread from a message to its end."""
DESKS = {
    "light": {"desk": "#e9eaf3", "edge": "#0000001a", "shade": "#26284a33"},
    "dark": {"desk": "#0c0d14", "edge": "#ffffff1f", "shade": "#00000080"},
}


async def main() -> None:
    """Bring the demo up, take every picture, and end."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with browsing() as browser, running(watch_s=WATCH_S) as world:
        async with stage(world) as on:
            await warm_up(on, seconds=SHOP_TRADES_S)
        shop = await opened(browser, world.shop_url, size=SHOP, scale=1.3)
        await act(browser, world, shop)
        for theme in ("light", "dark"):
            await thread_picture(browser, world, theme)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Start Chromium, and end it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def opened(
    browser: Browser, url: str, *, size: ViewportSize, scale: float, theme: Theme = "light"
) -> Page:
    """Open a page in a browser of its own; sizes are in CSS pixels."""
    context = await browser.new_context(
        viewport=size,
        device_scale_factor=scale,
        color_scheme=theme,
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    await page.goto(url)
    return page


async def act(browser: Browser, world: DemoWorld, shop: Page) -> None:
    """Break the shop, take its picture, and mend it as Ana and Ben would."""
    fault = shop.get_by_role("article").filter(has=shop.get_by_role("heading", name="Bad release"))
    await fault.get_by_role("button", name="Switch on").click()
    ana = await opened(browser, f"{world.slack_url}/?user={ANA}", size=SHOP, scale=1)
    triage = ana.get_by_role("main").get_by_role("button", name="Triage", exact=True)
    await triage.wait_for()
    await asyncio.sleep(READING_S)
    await triage.click()
    ben = await thread(browser, world, user=BEN)
    await expect(shop.get_by_role("status")).to_have_text("Buyers are hurt", timeout=WAIT_MS)
    await ben.get_by_role("button", name="Approve", exact=True).wait_for()
    kept("shop.png", await smaller(browser, await shop_picture(shop)))
    await ben.get_by_role("button", name="Approve", exact=True).click()
    await ben.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
    await thread_end(ben)
    for page in (ana, ben, shop):
        await page.context.close()


async def shop_picture(shop: Page) -> bytes:
    """Picture the shop's page down to the first row of its faults."""
    await shop.mouse.move(0, 0)
    card = shop.get_by_role("article").first
    height = await card.evaluate("card => Math.round(card.getBoundingClientRect().bottom + scrollY + 10)")
    return await shop.screenshot(
        full_page=True, clip={"x": 0, "y": 0, "width": SHOP["width"], "height": height}
    )


async def thread(browser: Browser, world: DemoWorld, *, user: str, theme: Theme = "light") -> Page:
    """Open the alert's thread in a narrow window of its own."""
    url = f"{world.slack_url}/?user={user}"
    page = await opened(browser, url, size=WINDOW, scale=SCALE, theme=theme)
    await page.get_by_role("button", name="Last reply").click()
    await page.get_by_role("log", name="Thread").wait_for()
    return page


async def thread_end(page: Page) -> None:
    """Wait until the thread says how it ended, everywhere."""
    await expect(page.get_by_role("log", name="Thread").get_by_role("article").last).to_contain_text(
        "Triage checkout: recovered", timeout=WAIT_MS
    )
    await page.get_by_role("heading", name="Triage checkout: recovered").wait_for()
    await page.get_by_role("heading", name="resolved after").first.wait_for()


async def thread_picture(browser: Browser, world: DemoWorld, theme: Theme) -> None:
    """Picture the thread in two windows: Ana's at its beginning, Ben's from the cause to the end."""
    ana = await thread(browser, world, user=ANA, theme=theme)
    ben = await thread(browser, world, user=BEN, theme=theme)
    for page in (ana, ben):
        await thread_end(page)
        await page.evaluate(WITHOUT_FOLDER, str(world.folder))
    cause = (
        ben.get_by_role("log", name="Thread")
        .get_by_role("article")
        .filter(has_text="The problem started")
        .last
    )
    height = await cause.evaluate(HEIGHT_TO_END)
    for page in (ana, ben):
        await page.set_viewport_size({"width": WINDOW["width"], "height": height})
        await page.mouse.move(0, 0)
    await ana.get_by_role("log", name="Thread").evaluate("log => { log.scrollTop = 0; }")
    await cause.evaluate("message => message.scrollIntoView({ block: 'start' })")
    left, right = [await page.screenshot() for page in (ana, ben)]
    picture = await smaller(browser, await framed(browser, left, right, theme))
    kept("thread.png" if theme == "light" else "thread-dark.png", picture)
    for page in (ana, ben):
        await page.context.close()


async def framed(browser: Browser, left: bytes, right: bytes, theme: Theme) -> bytes:
    """Put two windows side by side on a desk."""
    context = await browser.new_context(
        viewport={"width": 2 * WINDOW["width"] + 3 * GAP, "height": 100}, device_scale_factor=SCALE
    )
    page = await context.new_page()
    sources = {"left": embedded(left), "right": embedded(right)}
    await page.set_content(FRAME.format(**sources, **DESKS[theme], width=WINDOW["width"], gap=GAP))
    picture = await page.screenshot(full_page=True)
    await context.close()
    return picture


async def smaller(browser: Browser, picture: bytes) -> bytes:
    """Write a PNG anew with 256 colours, each pixel in the nearest of them."""
    page = await browser.new_page()
    width, height, data = await page.evaluate(PIXELS, embedded(picture))
    await page.close()
    pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height * width, 4)[:, :3]
    colours, which, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    palette = palette_of(colours, counts)
    nearest = np.array([np.abs(palette.astype(int) - colour).sum(axis=1).argmin() for colour in colours])
    rows = nearest[which].astype(np.uint8).reshape(height, width)
    unfiltered = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = {b"IHDR": head, b"PLTE": palette.tobytes(), b"IDAT": zlib.compress(unfiltered, 9), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts.items()
    )


def palette_of(colours: Colours, counts: Counts) -> Colours:
    """Choose 256 colours: 96 that fill areas as they are, and 160 that stand for those of rare letters."""
    often = np.argsort(-counts)
    areas, letters = colours[often[:96]], colours[often[96:]]
    coarse, which, weights = np.unique(letters >> 4, axis=0, return_inverse=True, return_counts=True)
    means = [letters[which == at].mean(axis=0) for at in np.argsort(-weights)[:160]]
    return np.vstack([areas, np.array(means).reshape(-1, 3).astype(np.uint8)]) if len(coarse) else areas


def embedded(picture: bytes) -> str:
    """Write a picture as a URL."""
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def kept(name: str, picture: bytes) -> None:
    """Write a picture, if it is small enough for a README."""
    if len(picture) > MOST_BYTES:
        raise SystemExit(f"{name} has {len(picture)} bytes; {MOST_BYTES} are the most.")
    (PICTURES / name).write_bytes(picture)
    print(f"docs/images/{name}: {len(picture) / 1000:.0f} kB")


if __name__ == "__main__":
    asyncio.run(main())
