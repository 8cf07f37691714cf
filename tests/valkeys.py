"""Real Valkeys of a test's own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from bot.adapters.redis.store import Store, connect
from bot.adapters.valkey import embedded_valkey


@contextlib.asynccontextmanager
async def fresh_valkey() -> AsyncIterator[str]:
    """Run a fresh Valkey; its folder is short on purpose: a Unix socket's path may be 108 characters long."""
    with tempfile.TemporaryDirectory(prefix="ph-") as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url


@contextlib.asynccontextmanager
async def fresh_store() -> AsyncIterator[Store]:
    """Run a fresh Valkey and connect to it."""
    async with fresh_valkey() as url:
        store = connect(url)
        try:
            yield store
        finally:
            await store.aclose()
