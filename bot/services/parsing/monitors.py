"""Parses the words after ``/monitor``: what to do, with which monitor, for how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from bot.domain.catalogue import Catalogue
from bot.domain.durations import parse_duration
from bot.domain.errors import UsageError
from bot.domain.nearest import did_you_mean, nearest
from bot.domain.visible import bare_name
from bot.engine.params import echo, find_service
from bot.services.parsing.command_line import split_words

Verb = Literal["list", "show", "test", "pause", "resume", "mute", "unmute"]
VERBS: tuple[Verb, ...] = get_args(Verb)
_TIMED: dict[str, bool] = {"pause": False, "mute": True}
"""Verbs that take a duration, and whether they need one."""
_MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class MonitorRequest:
    """A request about a monitor; ``name`` is ``service/id``, and for ``list`` a service or empty."""

    verb: Verb
    name: str = ""
    seconds: float | None = None


def parse_monitor_words(text: str, *, catalogue: Catalogue, command: str) -> MonitorRequest:
    """Read ``pause checkout/errors 2h``.

    Raises:
        UsageError: something is missing, unknown or malformed; ``hint`` shows what to type.
        UnknownServiceError: ``list`` names a service that the catalogue lacks.
    """
    first, *rest = split_words(text) or ["list"]
    verb = next((known for known in VERBS if known == first.casefold()), None)
    if verb is None:
        known = ", ".join(f"`{name}`" for name in VERBS)
        raise UsageError(
            f"I cannot `{echo(first)}` a monitor{did_you_mean(first, VERBS)}.",
            hint=f"Use one of {known}; `{command} help` explains them.",
        )
    if verb == "list":
        _nothing_after(rest[1:], command=command)
        return MonitorRequest(verb=verb, name=find_service(rest[0], catalogue) if rest else "")
    if not rest:
        raise UsageError("Which monitor?", hint=_known(catalogue.monitors, command=command))
    seconds = _seconds(verb, rest[1:], command=f"{command} {verb} {echo(rest[0])}")
    return MonitorRequest(verb=verb, name=find_monitor(rest[0], catalogue, command=command), seconds=seconds)


def find_monitor(word: str, catalogue: Catalogue, *, command: str) -> str:
    """Return a monitor's full name; an id alone is enough where only one service has it.

    Raises:
        UsageError: there is none, or more than one.
    """
    folded, names = bare_name(word), catalogue.monitors
    if folded in names:
        return folded
    same = [name for name, (_, monitor) in names.items() if monitor.id == folded]
    if len(same) == 1:
        return same[0]
    if same:
        which = ", ".join(f"`{name}`" for name in same[:_MOST_NAMED])
        raise UsageError(
            f"Several services have a monitor `{echo(word)}`.", hint=f"Use the full name: {which}."
        )
    ids = {monitor.id: name for name, (_, monitor) in names.items()}
    like = did_you_mean(word, names) or did_you_mean(ids.get(nearest(word, ids), ""), names)
    raise UsageError(f"Unknown monitor `{echo(word)}`{like}.", hint=_known(names, command=command))


def _seconds(verb: Verb, rest: list[str], *, command: str) -> float | None:
    words = rest[1:] if rest and rest[0].casefold() == "for" else rest
    if verb not in _TIMED:
        _nothing_after(words, command=command)
        return None
    if not words:
        if _TIMED[verb]:
            raise UsageError("For how long?", hint=f"Try `{command} 2h`.")
        return None
    _nothing_after(words[1:], command=f"{command} 2h")
    try:
        return parse_duration(words[0])
    except ValueError as error:
        raise UsageError(f"`{echo(words[0])}` {error}.", hint=f"Try `{command} 2h`.") from None


def _nothing_after(words: list[str], *, command: str) -> None:
    if words:
        raise UsageError(f"I do not understand `{echo(words[0])}`.", hint=f"Try `{command}`.")


def _known(names: Iterable[str], *, command: str) -> str:
    some = list(names)
    if not some:
        return "No service in the catalogue has monitors yet."
    if len(some) > _MOST_NAMED:
        return f"`{command} list` shows all {len(some)}."
    return f"There are {', '.join(f'`{name}`' for name in some)}."
