"""How Debian's Chromium is started without a screen and without a connection to the outside."""

from __future__ import annotations

import playwright.async_api
import playwright.sync_api

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SOON_MS = 60_000
"""What a page shows soon, it shows within this time on a busy machine too; Playwright's own limit is 5 s."""

for expect in (playwright.async_api.expect, playwright.sync_api.expect):
    expect.set_options(timeout=SOON_MS)
