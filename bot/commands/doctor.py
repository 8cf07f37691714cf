"""Checks everything that the bot depends on, and prints how to fix what it finds."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence

import handlers
from bot.adapters.leases_checkup import check_leases
from bot.adapters.redis.checkup import check_redis
from bot.adapters.redis.store import connect
from bot.adapters.slack.checkup import check_slack
from bot.adapters.slack.client import open_client
from bot.adapters.slack.manifest import scopes_of
from bot.adapters.sources_checkup import check_sources
from bot.commands._files import count, read_files
from bot.domain.catalogue import Catalogue
from bot.domain.checkup import CheckupItem, good, wrong
from bot.domain.clock import SystemClock
from bot.domain.documentation import DOCS
from bot.domain.errors import SettingsError
from bot.environment import environment
from bot.loader.yaml_positions import Problem
from bot.settings import Settings, load_settings

NAME = "doctor"
SUMMARY = "Check settings, Redis, Slack, catalogue, runbooks and sources; print fixes. Changes nothing."

_PAGE = f"{DOCS}/how-to/install-in-slack.md#3-describe-your-services-and-who-may-approve"
_MARKS = {"ok": ("ok  ", "32"), "warn": ("warn", "33"), "bad": ("BAD ", "31")}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print every check; return 1 if one fails."""
    checks = asyncio.run(examine())
    if args.json:
        print(json.dumps([check.model_dump() for check in checks], indent=2, ensure_ascii=False))
    else:
        _print_lines(checks)
    return 1 if any(check.state == "bad" for check in checks) else 0


async def examine() -> tuple[CheckupItem, ...]:
    """Run every check; a failing one does not stop the others."""
    try:
        settings = load_settings(environment())
    except SettingsError as error:
        return (wrong("settings", str(error).replace("\n", " "), todo=error.hint),)
    catalogue, files = _files(settings)
    return (
        _settings(settings),
        *await _redis(settings),
        *await _slack(settings),
        *files,
        *(check_leases(catalogue, token=settings.lease_token) if catalogue is not None else ()),
        *(await check_sources(catalogue) if catalogue is not None else ()),
    )


def _settings(settings: Settings) -> CheckupItem:
    try:
        settings.require_slack()
    except SettingsError as error:
        return wrong("settings", str(error), todo=error.hint)
    return good("settings", "can be read")


async def _redis(settings: Settings) -> tuple[CheckupItem, ...]:
    store = connect(settings.redis_url, prefix=settings.redis_prefix, shards=settings.shards)
    try:
        return await check_redis(store, SystemClock())
    finally:
        await store.aclose()


async def _slack(settings: Settings) -> tuple[CheckupItem, ...]:
    if settings.slack_bot_token is None:
        return ()  # the line of the settings reports it
    token = settings.slack_bot_token.get_secret_value()
    async with open_client(token=token, api_url=settings.slack_api_url) as client:
        return await check_slack(client, scopes=scopes_of(handlers.modules()))


def _files(settings: Settings) -> tuple[Catalogue | None, tuple[CheckupItem, ...]]:
    """Check the catalogue and the runbooks, these against the catalogue if it can be read."""
    there = settings.catalogue.exists()
    files = read_files(settings.catalogue if there else None, settings.runbooks)
    services = 0 if files.catalogue is None else len(files.catalogue.services)
    of_catalogue = _file("catalogue", f"has {count(services, 'service')}", files.of_catalogue)
    if not there:
        todo = (
            f"Describe your services there ({_PAGE}), or set PILOTHOUSE_CATALOGUE to the path of your file."
        )
        of_catalogue = wrong("catalogue", f"{settings.catalogue} does not exist", todo=todo)
    runbooks = 0 if files.library is None else len(files.library.names())
    return files.catalogue, (of_catalogue, _file("runbooks", f"{runbooks} are valid", files.of_runbooks))


def _file(name: str, fine: str, problems: Sequence[Problem]) -> CheckupItem:
    if not problems:
        return good(name, fine)
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    todo = "Run `pilothouse check` to see every problem with its line." if more else ""
    return wrong(name, f"{problems[0]}{more}", todo=todo or "Fix that line.")


def _print_lines(checks: Sequence[CheckupItem]) -> None:
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark, code = _MARKS[check.state]
        painted = f"\033[{code}m{mark}\033[0m" if colour else mark
        print(f"{painted}  {check.name.ljust(width)}  {check.text}")
        if check.todo:
            print(f"{' ' * (width + 8)}→ {check.todo}")
    bad = sum(check.state == "bad" for check in checks)
    print(f"\n{count(len(checks), 'check')}, {bad or 'none'} bad.")
