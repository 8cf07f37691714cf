"""Runs the shop: ``python -m demo --state-dir DIR [--webhook-url URL] [--json]``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from demo.shop.errors import ShopError
from demo.shop.haproxy_config import Holder
from demo.shop.shop import Shop
from demo.shop.side_services import FlagTeller

_PARENT_CHECK_S = 0.5


def main() -> int:
    """Run until SIGTERM, SIGINT or the end of the parent process; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="A small shop of real services, with load and faults to inject."
    )
    parser.add_argument(
        "--state-dir", type=Path, required=True, help="the folder for all files; created if missing"
    )
    parser.add_argument("--webhook-url", default="", help="the webhook that Alertmanager sends alerts to")
    parser.add_argument("--webhook-token", default="", help="the bearer token for the webhook")
    parser.add_argument(
        "--lease-address",
        default="",
        metavar="HOST:PORT",
        help="the server that decides whether checkout's candidate may have traffic",
    )
    parser.add_argument("--lease-token", default="", help="the bearer token for that server")
    parser.add_argument(
        "--flags-url", default="", help="the server that services ask for their flags, by OFREP"
    )
    parser.add_argument("--flags-token", default="", help="the bearer token for that server")
    parser.add_argument("--json", action="store_true", help="print the content of shop.json on one line")
    arguments = parser.parse_args()
    try:
        asyncio.run(_until_told(arguments))
    except ShopError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _until_told(arguments: argparse.Namespace) -> None:
    serving = asyncio.ensure_future(_serve(arguments))
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        # Even while the shop is still opening: then whatever has started is stopped again.
        loop.add_signal_handler(sign, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _serve(arguments: argparse.Namespace) -> None:
    parent = os.getppid()
    shop = Shop(
        arguments.state_dir,
        webhook_url=arguments.webhook_url,
        webhook_token=arguments.webhook_token,
        holder=Holder(address=arguments.lease_address, token=arguments.lease_token)
        if arguments.lease_address
        else None,
        flags=FlagTeller(url=arguments.flags_url, token=arguments.flags_token)
        if arguments.flags_url
        else None,
    )
    async with shop:
        if arguments.json:
            print(json.dumps(shop.facts), flush=True)
        else:
            print(f"The shop opened in {shop.facts['started_in_s']} s: {shop.control_url}", flush=True)
        while os.getppid() == parent:  # noqa: ASYNC110  # only asking tells that the parent is gone
            await asyncio.sleep(_PARENT_CHECK_S)


if __name__ == "__main__":
    sys.exit(main())
