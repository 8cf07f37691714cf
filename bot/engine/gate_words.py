"""The words people type about gates: which service, for what reason, for how long, to whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.catalogue import Catalogue
from bot.domain.deploy_lock import DEFAULT_S, MOST_S
from bot.domain.durations import parse_duration
from bot.domain.errors import UsageError
from bot.domain.freeze import MOST_REASON
from bot.engine.words import echo, find_service

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_DURATION = re.compile(r"\d[\d.]*[a-z]+(?:\d[\d.]*[a-z]+)*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class LockWords:
    """Which service somebody wants to lock, why, and for how many seconds."""

    service: str
    reason: str
    seconds: float = DEFAULT_S


def parse_lock_words(words: Sequence[str], *, catalogue: Catalogue, command: str) -> LockWords:
    """Read ``checkout the fair begins [2h]``.

    Raises:
        UsageError: something is missing, too long or malformed; ``hint`` says what to type.
    """
    example = f"Try `{command} {next(iter(catalogue.names), '<service>')} the fair begins 2h`."
    if not words:
        raise UsageError("Which service, and why?", hint=example)
    service = find_service(words[0], catalogue)
    rest, seconds = _duration(list(words[1:]), example=example)
    reason = " ".join(rest).strip()
    if not reason:
        raise UsageError("Why? Whoever comes next will want to know.", hint=example)
    if len(reason) > MOST_REASON:
        raise UsageError(f"A reason has {MOST_REASON} characters at most.", hint=example)
    return LockWords(service=service, reason=reason, seconds=seconds)


def parse_service(words: Sequence[str], *, catalogue: Catalogue, command: str) -> str:
    """Read the one service that is named.

    Raises:
        UsageError: none is, or there is more.
    """
    example = f"Try `{command} {next(iter(catalogue.names), '<service>')}`."
    if not words:
        raise UsageError("Which service?", hint=example)
    if len(words) > 1:
        raise UsageError(f"I do not understand `{echo(words[1])}`.", hint=example)
    return find_service(words[0], catalogue)


def mentioned(text: str, *, command: str) -> str:
    """Find the id of the one person whom ``text``, as the chat sent it, mentions.

    Raises:
        UsageError: nobody is mentioned, or several people are.
    """
    found = set(_MENTION.findall(text))
    if len(found) != 1:
        who = "To whom?" if not found else "To one person only, please."
        raise UsageError(who, hint=f"Try `{command} @somebody`; pick the name that the chat offers.")
    return str(found.pop())


def _duration(words: list[str], *, example: str) -> tuple[list[str], float]:
    if not words or not _DURATION.fullmatch(words[-1]):
        return words, DEFAULT_S
    try:
        seconds = parse_duration(words[-1])
    except ValueError as error:
        raise UsageError(f"`{echo(words[-1])}` {error}.", hint=example) from None
    if seconds > MOST_S:
        raise UsageError("A lock holds for 7 days at most.", hint=example)
    rest = words[:-1]
    return rest[:-1] if rest[-1:] == ["for"] else rest, seconds
