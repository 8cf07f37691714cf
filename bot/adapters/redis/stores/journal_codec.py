"""Encodes journals: events as JSON, and the runbook of a run by its digest."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from bot.adapters.redis.keys import Shard
from bot.adapters.redis.store import RedisStore
from bot.domain.errors import NotFoundError
from bot.domain.runs.event import EVENT, Event
from bot.domain.runs.journal import read_events
from bot.domain.runs.runbook import Runbook

_FACTS: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])
_PINNED = "runbook"


class JournalCodec:
    """Every version of a runbook is kept once, for good: it is the record of what was run.

    A runbook in a journal is the one of this digest, so editing its file changes no run in flight.
    """

    def __init__(self, store: RedisStore) -> None:
        """Read runbooks from ``store`` and remember them."""
        self._store = store
        self._known: dict[str, Runbook] = {}
        self._digests: dict[int, tuple[Runbook, str]] = {}
        self._kept: set[tuple[str, str]] = set()

    def digest_of(self, runbook: Runbook) -> str:
        """Return a runbook's digest; computed once for each object."""
        seen = self._digests.get(id(runbook))
        if seen is None or seen[0] is not runbook:
            seen = self._digests[id(runbook)] = (runbook, runbook.digest)
        return seen[1]

    def is_kept(self, shard: Shard, digest: str) -> bool:
        """Return whether this process has seen it in the store."""
        return (shard.tag, digest) in self._kept

    def note_kept(self, shard: Shard, digest: str) -> None:
        """Remember that it is in the store."""
        self._kept.add((shard.tag, digest))

    async def facts_of(self, shard: Shard, fields: Mapping[str, str]) -> tuple[Event, ...]:
        """Return the events in a run's hash.

        Raises:
            NotFoundError: its runbook is gone from the store.
            JournalError: it holds an event that this version does not know.
        """
        runbook = await self.runbook(shard, fields["bk"]) if "bk" in fields else None
        texts = texts_of(fields)
        try:
            facts = list(_first_facts(texts[0], runbook))
            for text in texts[1:]:
                facts += _facts(text)
        except ValidationError:
            return _named_fault(texts, runbook)
        return tuple(facts)

    async def runbook(self, shard: Shard, digest: str) -> Runbook:
        """Return a runbook by its digest.

        Raises:
            NotFoundError: it is gone from the store.
        """
        known = self._known.get(digest)
        if known is None:
            text = await self._store.field(shard.books, digest)
            if text is None:
                raise NotFoundError(f"The runbook {digest[:12]} is gone from the store.")
            known = self._known[digest] = Runbook.model_validate_json(text)
        return known


def facts_json(events: Sequence[Event]) -> str:
    """Return events as one JSON array; a run's first event is written without its runbook."""
    return _FACTS.dump_json(tuple(events), by_alias=True, exclude=_without_runbook(events)).decode()


def texts_of(fields: Mapping[str, str]) -> list[str]:
    """Return what was written into a run's hash, in order: first what was packed, then the rest."""
    numbers = sorted(int(name[2:]) for name in fields if name.startswith("e:"))
    return [*(unpacked(fields["z"]) if "z" in fields else ()), *(fields[f"e:{number}"] for number in numbers)]


def packed(texts: Sequence[str]) -> str:
    """Return a run's texts as one compressed text."""
    return b64encode(zlib.compress("\n".join(texts).encode(), level=9)).decode()


def unpacked(text: str) -> list[str]:
    """Return the texts in what ``packed`` made; none of them holds a line break."""
    return zlib.decompress(b64decode(text)).decode().split("\n")


def _without_runbook(events: Sequence[Event]) -> Any:  # noqa: ANN401  # pydantic's own notation
    pinned = [number for number, event in enumerate(events) if event.type == "run_started"]
    return {number: {_PINNED} for number in pinned} or None


def _facts(text: str) -> tuple[Event, ...]:
    """Return the events of one field: a JSON array, or a single event, as older versions wrote it."""
    return _FACTS.validate_json(text) if text.startswith("[") else (EVENT.validate_json(text),)


def _first_facts(text: str, runbook: Runbook | None) -> tuple[Event, ...]:
    if runbook is None:
        return _facts(text)
    first, *rest = from_json(text)
    return _FACTS.validate_python(({**first, _PINNED: runbook}, *rest))


def _named_fault(texts: Sequence[str], runbook: Runbook | None) -> tuple[Event, ...]:
    """Read events one by one, and return an error that names the one that cannot be read."""
    listed = [fact if isinstance(fact, list) else [fact] for fact in map(from_json, texts)]
    facts = [fact for some in listed for fact in some]
    if runbook is not None:
        facts[0] = {**facts[0], _PINNED: runbook}
    return tuple(read_events("the run", facts))
