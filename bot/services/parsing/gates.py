"""Parses the words of gate commands: which service, for what reason, for how long, to whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.catalogue import Catalogue
from bot.domain.deployments.checklist import MOST_NOTE
from bot.domain.deployments.deploy_lock import DEFAULT_S, MOST_S
from bot.domain.deployments.freeze import MOST_REASON
from bot.domain.deployments.version import RULE, is_version
from bot.domain.durations import parse_duration
from bot.domain.errors import UsageError
from bot.domain.nearest import did_you_mean
from bot.engine.params import echo, find_service
from bot.services.parsing.suggestions import service_for

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_DURATION = re.compile(r"\d[\d.]*[a-z]+(?:\d[\d.]*[a-z]+)*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class LockRequest:
    """A request to lock a service: the reason, and for how many seconds."""

    service: str
    reason: str
    seconds: float = DEFAULT_S


def parse_lock_words(words: Sequence[str], *, catalogue: Catalogue, command: str) -> LockRequest:
    """Read ``checkout the fair begins [2h]``.

    Raises:
        UsageError: something is missing, too long or malformed; ``hint`` shows what to type.
    """
    example = f"Try `{command} {service_for(words, catalogue)} the fair begins 2h`."
    if not words:
        raise UsageError("Which service, and why?", hint=example)
    service = find_service(words[0], catalogue)
    rest, seconds = _duration(list(words[1:]), example=example)
    reason = " ".join(rest).strip()
    if not reason:
        raise UsageError("Why? The next person to deploy will want to know.", hint=example)
    if len(reason) > MOST_REASON:
        raise UsageError(f"A reason can have at most {MOST_REASON} characters.", hint=example)
    return LockRequest(service=service, reason=reason, seconds=seconds)


def parse_service(words: Sequence[str], *, catalogue: Catalogue, command: str) -> str:
    """Read the one service that is named.

    Raises:
        UsageError: none is, or there is more.
    """
    example = f"Try `{command} {service_for(words, catalogue)}`."
    if not words:
        raise UsageError("Which service?", hint=example)
    if len(words) > 1:
        raise UsageError(f"I do not understand `{echo(words[1])}`.", hint=example)
    return find_service(words[0], catalogue)


def mentioned(text: str, *, command: str) -> str:
    """Return the id of the one person whom ``text``, as the chat sent it, mentions.

    Raises:
        UsageError: no person is mentioned, or more than one.
    """
    found = set(_MENTION.findall(text))
    if len(found) != 1:
        who = "To whom?" if not found else "To one person only, please."
        raise UsageError(who, hint=f"Try `{command} @name`; pick the name that the chat offers.")
    return str(found.pop())


def _duration(words: list[str], *, example: str) -> tuple[list[str], float]:
    if not words or not _DURATION.fullmatch(words[-1]):
        return words, DEFAULT_S
    try:
        seconds = parse_duration(words[-1])
    except ValueError as error:
        raise UsageError(f"`{echo(words[-1])}` {error}.", hint=example) from None
    if seconds > MOST_S:
        raise UsageError("A lock can last at most 7 days.", hint=example)
    rest = words[:-1]
    return rest[:-1] if rest[-1:] == ["for"] else rest, seconds


@dataclass(frozen=True, kw_only=True)
class ChecklistRequest:
    """An item of a version's checklist, and the person's note on it."""

    service: str
    version: str
    item: str
    text: str


def parse_version_words(words: Sequence[str], *, catalogue: Catalogue, command: str) -> tuple[str, str]:
    """Read ``checkout 1.5.0``.

    Raises:
        UsageError: one is missing or malformed, or there is more.
    """
    example = f"Try `{command} {service_for(words, catalogue)} 1.5.0`."
    service, version, rest = _of_version(words, catalogue=catalogue, example=example)
    if rest:
        raise UsageError(f"I do not understand `{echo(rest[0])}`.", hint=example)
    return service, version


def parse_item_words(
    words: Sequence[str], *, catalogue: Catalogue, command: str, why: bool = False
) -> ChecklistRequest:
    """Read ``checkout 1.5.0 security-scan [what was seen]``; with ``why`` the note is required.

    Raises:
        UsageError: something is missing, too long or malformed, or the checklist has no such item.
    """
    sample = f"{service_for(words, catalogue)} 1.5.0 team_told" + (" it sleeps" if why else "")
    example = f"Try `{command} {sample}`."
    service, version, rest = _of_version(words, catalogue=catalogue, example=example)
    items = catalogue.get(service).gates.checklist
    if not items:
        raise UsageError(f"The catalogue has no checklist for `{service}`.")
    if not rest:
        raise UsageError(f"Which item? There are {', '.join(f'`{name}`' for name in items)}.", hint=example)
    item = next((name for name in items if _loosely(name) == _loosely(rest[0])), "")
    if not item:
        raise UsageError(
            f"The checklist has no item `{echo(rest[0])}`{did_you_mean(rest[0].lower(), items)}.",
            hint=f"It has {', '.join(f'`{name}`' for name in items)}.",
        )
    text = " ".join(rest[1:]).strip()
    if why and not text:
        raise UsageError("Why? Everyone will read it.", hint=example)
    if len(text) > MOST_NOTE:
        raise UsageError(f"A note can have at most {MOST_NOTE} characters.", hint=example)
    return ChecklistRequest(service=service, version=version, item=item, text=text)


def _of_version(
    words: Sequence[str], *, catalogue: Catalogue, example: str
) -> tuple[str, str, Sequence[str]]:
    if not words:
        raise UsageError("Which service, and which version?", hint=example)
    service = find_service(words[0], catalogue)
    if len(words) == 1:
        raise UsageError("Which version?", hint=example)
    return service, valid_version(words[1], example=example), words[2:]


def valid_version(word: str, *, example: str) -> str:
    """Return the word.

    Raises:
        UsageError: it cannot name a version.
    """
    if not is_version(word):
        raise UsageError(f"`{echo(word)}` is not a valid version.", hint=f"It has {RULE}. {example}")
    return word


def _loosely(name: str) -> str:
    return name.lower().replace("-", "_")
