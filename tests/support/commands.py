"""Commands that have processes of their own: whatever becomes of a test, none of them stays."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path


@contextlib.asynccontextmanager
async def running(
    *command: str, cwd: Path, stderr: int | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command in a process group of its own, which is killed at the end, stopped members too."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=stderr, start_new_session=True
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
