"""Finds runs for the commands of the command line, in Redis or in an exported file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from redis.exceptions import RedisError

from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.domain.clock import SystemClock
from bot.domain.errors import BotError, NotFoundError, UsageError
from bot.domain.nearest import did_you_mean
from bot.domain.runs.event import Event
from bot.domain.runs.journal import import_line
from bot.environment import environment
from bot.ports.inbox import Inbox
from bot.ports.journal import Journal
from bot.settings import load_settings

MOST = 100_000
"""The most runs that are searched."""


class StoreDownError(BotError):
    """Redis does not answer."""

    reason = "store_down"
    default_hint = "Check PILOTHOUSE_REDIS_URL and that Redis is up."


@dataclass(frozen=True, kw_only=True)
class CommandStores:
    """The stores that the commands read."""

    journal: Journal
    inbox: Inbox
    now: datetime


@asynccontextmanager
async def open_archive() -> AsyncIterator[CommandStores]:
    """Open the stores that the settings name, and close them at the end.

    Raises:
        StoreDownError: Redis does not answer.
    """
    settings = load_settings(environment())
    store = connect(settings.redis_url, prefix=settings.redis_prefix, shards=settings.shards)
    try:
        yield CommandStores(journal=RedisJournal(store), inbox=RedisInbox(store), now=SystemClock().now())
    except (RedisError, OSError) as error:
        raise StoreDownError(f"Redis does not answer: {type(error).__name__}.") from None
    finally:
        await store.aclose()


async def resolve(journal: Journal, word: str) -> str:
    """Return the id of the run that is, or begins with, ``word``.

    Raises:
        NotFoundError: no run matches, or more than one does.
    """
    return chosen(await journal.recent(limit=MOST), word)


def chosen(known: Iterable[str], word: str) -> str:
    """Return the id that is, or begins with, ``word``.

    Raises:
        NotFoundError: no run matches, or more than one does.
    """
    ids = tuple(known)
    if word in ids:
        return word
    found = [run_id for run_id in ids if run_id.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(
            f"{len(found)} runs begin with {word}.", hint=f"For example: {', '.join(found[:5])}."
        )
    raise NotFoundError(
        f"No run begins with {word}{did_you_mean(word, ids)}.", hint="List all runs: pilothouse runs list"
    )


async def journal_of(word: str, *, file: Path | None) -> tuple[str, tuple[Event, ...]]:
    """Return one run's journal, from the export ``file`` if one is given.

    ``word`` is the run's id or the beginning of it, and may be empty where a file holds only one.

    Raises:
        NotFoundError: no run matches, or more than one does.
        UsageError: neither a run nor a file was named, or the file cannot be read.
    """
    if file is not None:
        exported = _exported(file)
        if not word and len(exported) == 1:
            return next(iter(exported.items()))
        if not word:
            raise NotFoundError(f"{file} holds {len(exported)} runs; name one.")
        run_id = chosen(exported, word)
        return run_id, exported[run_id]
    if not word:
        raise UsageError("Name a run, or a file that `runs export` wrote.")
    async with open_archive() as archive:
        run_id = await resolve(archive.journal, word)
        return run_id, await archive.journal.load(run_id)


def _exported(file: Path) -> dict[str, tuple[Event, ...]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {type(error).__name__}.") from None
    return dict(import_line(line) for line in lines if line.strip())
