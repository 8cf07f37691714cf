"""Parses the words typed after a command into a runbook's parameters."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from bot.domain.catalogue import Catalogue
from bot.domain.durations import format_duration
from bot.domain.errors import UsageError
from bot.domain.model import JsonObject, JsonValue
from bot.domain.nearest import did_you_mean, nearest
from bot.domain.runs.runbook import Param, Runbook
from bot.domain.visible import bare_name, visible
from bot.engine.params import _BOOLEANS, _checked, echo
from bot.services.parsing.suggestions import options_typed, service_for_runbook, version_typed

_MAX_TEXT = 2000
_LINK = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_WORD = re.compile(r'((?:[^\s"=]+=)?)"([^"]*)"|(\S+)')
_PAIR = re.compile(r"(?:--)?([A-Za-z][\w-]*)=(.*)", re.DOTALL)
_QUOTES = str.maketrans("“”„«»‘’\u00a0", '"""""\'\' ')  # noqa: RUF001  # what phones make of quotes
_KINDS = {"string": "text", "integer": "number"}
_PLACEHOLDERS = {
    "string": "",
    "service": "checkout",
    "version": "",
    "duration": "30m",
    "integer": "1",
    "boolean": "yes",
}


def parse_words(runbook: Runbook, text: str, *, catalogue: Catalogue, command: str = "") -> JsonObject:
    """Parse ``checkout since 30m`` into ``{"service": "checkout", "since": 1800.0}``.

    The required parameters come in the runbook's order; the others as ``name value``, ``name=value`` or
    ``--name value``, anywhere.  What is not given has its default.

    Args:
        runbook: whose parameters they are.
        text: what was typed after the command, as the chat delivers it.
        catalogue: knows the services.
        command: what was typed before it, for the hint; by default the runbook's name.

    Raises:
        UsageError: something is missing, unknown or malformed; ``hint`` holds an example.
        UnknownServiceError: a service is not in the catalogue.
    """
    typed = _words_of(text)
    hint = f"Try {example_of(runbook, command or f'/{runbook.name}', catalogue=catalogue, typed=typed)}."
    if len(text) > _MAX_TEXT:
        raise UsageError(f"That is {len(text)} characters; I read at most {_MAX_TEXT}.", hint=hint)
    try:
        words = _with_environment(runbook, split_words(text), catalogue=catalogue)
        return _checked(runbook, _sort_out(runbook, words), catalogue=catalogue)
    except UsageError as error:
        raise type(error)(str(error), hint=f"{hint} {error.hint}".strip()) from None


def _with_environment(runbook: Runbook, words: list[str], *, catalogue: Catalogue) -> list[str]:
    """Return ``checkout 1.4.2 staging`` as ``checkout@staging 1.4.2``, if that environment exists."""
    needed = [param for param in runbook.params.values() if param.required]
    if not needed or needed[0].type != "service" or len(words) <= len(needed):
        return words
    service, environment = bare_name(words[0]), bare_name(words[len(needed)])
    rest = [*words[1 : len(needed)], *words[len(needed) + 1 :]]
    if f"{service}@{environment}" in catalogue.names:
        return [f"{service}@{environment}", *rest]
    if service in catalogue.names and catalogue.get(service).environment.casefold() == environment:
        return [service, *rest]
    return words


def usage_of(runbook: Runbook, command: str) -> str:
    """Return how to use a runbook: ``/triage <service> [since 30m]``."""
    words = [f"<{name}>" for name, param in runbook.params.items() if param.required]
    for name, param in runbook.params.items():
        if not param.required:
            value = _shown(param) or f"<{_KINDS.get(param.type, param.type)}>"
            words.append(f"[{name}]" if param.type == "boolean" else f"[{name} {value}]")
    return "`" + " ".join((command, *words)) + "`"


def example_of(runbook: Runbook, command: str, *, catalogue: Catalogue, typed: Sequence[str] = ()) -> str:
    """Return an example that works, near to what was ``typed``: ``/triage checkout since 30m``."""
    words = [command]
    for name, param in runbook.params.items():
        if param.required:
            value = {
                "service": service_for_runbook(runbook, typed, catalogue),
                "version": version_typed(typed),
            }.get(param.type, _PLACEHOLDERS[param.type])
            words.append(value or f"<{name}>")
    for name in options_typed(runbook, typed) or _first_duration(runbook):
        param = runbook.params[name]
        unknown = f"<{name if param.type == 'string' else param.type}>"
        value = _shown(param) or _PLACEHOLDERS[param.type] or unknown
        words += [name] if param.type == "boolean" else [name, value]
    return "`" + " ".join(words) + "`"


def _first_duration(runbook: Runbook) -> list[str]:
    """Return the option to show where none was typed: the first, if it is a duration."""
    name = next((name for name, param in runbook.params.items() if not param.required), "")
    return [name] if name and runbook.params[name].type == "duration" else []


def _words_of(text: str) -> list[str]:
    """Return what was typed as words, for the hint; without those of a text that cannot be split."""
    try:
        return split_words(text[:_MAX_TEXT])
    except UsageError:
        return text[:_MAX_TEXT].replace('"', "").split()


def split_words(text: str) -> list[str]:
    """Split what was typed into words; the chat's own mark-up becomes what the person saw."""
    seen = visible(html.unescape(_LINK.sub(_as_seen, text))).translate(_QUOTES)
    words: list[str] = []
    for prefix, quoted, bare in _WORD.findall(seen):
        if bare.count('"') % 2:
            raise UsageError(f"A quote is not closed: `{echo(bare)}`.")
        words.append(prefix + quoted if not bare else bare.strip("`*'").replace('"', ""))
    return [re.sub("^[–—]", "--", word) for word in words if word]  # noqa: RUF001  # what phones make of --


def _as_seen(link: re.Match[str]) -> str:
    target, label = link.group(1), link.group(2)
    if target[:1] in ("@", "#", "!"):
        sign = "@" if target[0] == "!" else target[0]
        return f"{sign}{(label or target[1:]).lstrip('@#!')}"
    return label or target


def _sort_out(runbook: Runbook, words: list[str]) -> dict[str, JsonValue]:
    """Separate names from values; every value is still text, or true for a bare flag."""
    given: dict[str, JsonValue] = {}
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        pair = _PAIR.fullmatch(word)
        name = _name(runbook, pair.group(1) if pair else word)
        if pair and not name and nearest(pair.group(1), runbook.params):
            raise _unknown_name(runbook, pair.group(1))
        if pair and name:
            value: JsonValue = pair.group(2).strip('"')
        elif name and _is_flag(runbook, name, rest):
            value = True
        elif name:
            if not rest:
                raise UsageError(f"`{name}` needs a value after it.")
            value = rest.pop()
        else:
            name, value = _next_in_order(runbook, given, word), word
        if name in given:
            raise UsageError(f"`{name}` is given twice.")
        given[name] = value
    return given


def _name(runbook: Runbook, word: str) -> str:
    """Return the parameter that a word names; empty if it names none."""
    name = word.removeprefix("--").replace("-", "_").casefold()
    if word.startswith("--") and name not in runbook.params:
        raise _unknown_name(runbook, word)
    return name if name in runbook.params else ""


def _unknown_name(runbook: Runbook, word: str) -> UsageError:
    name = word.removeprefix("--").replace("-", "_")
    return UsageError(f"Unknown parameter `{echo(word)}`{did_you_mean(name, runbook.params)}.")


def _is_flag(runbook: Runbook, name: str, rest: list[str]) -> bool:
    """Return whether a boolean parameter is a bare flag: neither yes nor no follows it."""
    return runbook.params[name].type == "boolean" and not (rest and rest[-1].casefold() in _BOOLEANS)


def _next_in_order(runbook: Runbook, given: Mapping[str, JsonValue], word: str) -> str:
    for name, param in runbook.params.items():
        if param.required and name not in given:
            return name
    optional = [name for name, param in runbook.params.items() if not param.required]
    raise UsageError(f"I do not understand `{echo(word)}`{did_you_mean(word, optional)}.")


def _shown(param: Param) -> str:
    """Return a default as it would be typed."""
    match param.default:
        case None:
            return ""
        case bool():
            return "yes" if param.default else "no"
        case int() | float() if param.type == "duration":
            return format_duration(param.default)
        case _:
            return str(param.default)
