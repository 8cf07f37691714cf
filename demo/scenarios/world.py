"""The demonstration's world: Valkey, a local Slack, the shop and the bot, each a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

import handlers
from bot.adapters.slack.app import EVENTS_PATH
from bot.adapters.slack.manifest import manifest_of
from bot.shipped import shipped_runbooks
from demo.scenarios.processes import READY_S, ROLES, BotProcesses, announced
from demo.scenarios.valkey import embedded_valkey
from demo.scenarios.waiting import until

_HERE = Path(__file__).resolve().parent
SlackMode = Literal["socket", "http"]


@dataclass(frozen=True, kw_only=True)
class DemoWorld:
    """Where everything is."""

    folder: Path
    redis_url: str
    slack_url: str
    shop_url: str
    web_url: str
    prometheus_url: str
    environment: Mapping[str, str]
    """What the bot's processes were started with."""
    roles: BotProcesses
    """The bot's processes."""

    async def ready(self) -> None:
        """Wait until the bot accepts webhooks and listens to Slack.

        Raises:
            DemonstrationError: it did not come up; the message names its log.
        """
        hint = f"Read {self.folder / 'web.log'}."
        async with httpx.AsyncClient(timeout=2) as http:

            async def is_up() -> bool | None:
                try:
                    return (await http.get(f"{self.web_url}/readyz")).is_success or None
                except httpx.HTTPError:
                    return None

            async def is_listening() -> bool | None:
                state = (await http.get(f"{self.slack_url}/control/state?user=ana")).json()
                return any(app["sockets"] or app["mode"] == "http" for app in state["apps"]) or None

            await until(is_up, "the bot's web", READY_S, hint=hint)
            await until(is_listening, "the bot's Slack connection", READY_S, hint=hint)


@contextlib.asynccontextmanager
async def running(
    *,
    slack_port: int = 0,
    watch_s: float = 60,
    slack_mode: SlackMode = "socket",
    runbooks: Path | None = None,
) -> AsyncIterator[DemoWorld]:
    """Bring everything up, and down again when done or when this process dies.

    The bot plays ``runbooks``, a folder; by default those that ship.  Its files are removed when all went
    well, and kept to be read otherwise.

    Raises:
        DemonstrationError: a part did not come up; the message names its log.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="pilothouse-"))
    async with contextlib.AsyncExitStack() as stack:
        yield await _bring_up(
            stack,
            folder,
            slack_port=slack_port,
            watch_s=watch_s,
            slack_mode=slack_mode,
            runbooks=runbooks or shipped_runbooks(),
        )
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _bring_up(
    stack: contextlib.AsyncExitStack,
    folder: Path,
    *,
    slack_port: int,
    watch_s: float,
    slack_mode: SlackMode,
    runbooks: Path,
) -> DemoWorld:
    web_port = free_port()
    token, lease_token, flags_token = (secrets.token_hex(16) for _ in range(3))
    manifest_file = folder / "manifest.json"
    web_url = f"http://127.0.0.1:{web_port}"
    slack_url = f"{web_url}{EVENTS_PATH}" if slack_mode == "http" else ""
    text = json.dumps(manifest_of(handlers.modules(), url=slack_url))
    await asyncio.to_thread(manifest_file.write_text, text)
    slack_command = (
        *("localslack", "--json", "--port", str(slack_port)),
        *("--workspace", str(_HERE / "workspace.yaml"), "--manifest", str(manifest_file)),
        *("--app-name", "pilothouse"),
        *(("--events-url", slack_url) if slack_url else ()),
    )
    shop_command = (
        *("demo", "--json", "--state-dir", str(folder / "shop")),
        *("--webhook-url", f"{web_url}/webhooks/alertmanager", "--webhook-token", token),
        *("--lease-address", f"127.0.0.1:{web_port}", "--lease-token", lease_token),
        *("--flags-url", f"{web_url}/flags", "--flags-token", flags_token),
    )
    redis_url = await stack.enter_async_context(embedded_valkey(folder / "valkey"))
    slack, shop = await asyncio.gather(
        announced(stack, slack_command, folder / "localslack.log"),
        announced(stack, shop_command, folder / "shop.log"),
    )
    environment = {
        **shop["env"],
        "PILOTHOUSE_ENV_FILE": os.devnull,
        "PILOTHOUSE_ALERTMANAGER_URL": shop["env"]["SHOP_ALERTMANAGER_URL"],
        "PILOTHOUSE_REDIS_URL": redis_url,
        "PILOTHOUSE_SLACK_BOT_TOKEN": slack["bot_token"],
        "PILOTHOUSE_SLACK_APP_TOKEN": slack["app_token"],
        "PILOTHOUSE_SLACK_SIGNING_SECRET": slack["signing_secret"],
        "PILOTHOUSE_SLACK_API_URL": slack["api_url"],
        "PILOTHOUSE_SLACK_MODE": slack_mode,
        "PILOTHOUSE_CATALOGUE": shop["catalogue"],
        "PILOTHOUSE_RUNBOOKS": str(runbooks),
        "PILOTHOUSE_HTTP_PORT": str(web_port),
        "PILOTHOUSE_WEBHOOK_TOKEN": token,
        "PILOTHOUSE_LEASE_TOKEN": lease_token,
        "PILOTHOUSE_FLAGS_TOKEN": flags_token,
        "PILOTHOUSE_WATCH_S": f"{watch_s:g}",
    }
    roles = BotProcesses(stack, folder=folder, environment=environment)
    for role in ROLES:
        await roles.start(role)
    world = DemoWorld(
        folder=folder,
        redis_url=redis_url,
        slack_url=slack["url"],
        shop_url=shop["control_url"],
        web_url=web_url,
        prometheus_url=shop["env"]["SHOP_PROMETHEUS_URL"],
        environment=environment,
        roles=roles,
    )
    await world.ready()
    return world


def free_port() -> int:
    """Return a TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
