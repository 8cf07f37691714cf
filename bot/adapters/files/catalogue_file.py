"""The catalogue in a YAML file; what differs between machines is filled in from the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bot.domain.catalogue import ApproverGroup, Catalogue, Cost, Environment, Failover, Service
from bot.domain.deployments.checklist import ChecklistItem
from bot.domain.deployments.freeze import Exemption, Freeze, GlobalFreeze
from bot.domain.deployments.gate import Gates
from bot.domain.errors import BotError
from bot.domain.model import JsonValue
from bot.domain.monitoring.monitor import Monitor
from bot.domain.monitoring.slo import Slo
from bot.domain.nearest import did_you_mean
from bot.loader.yaml_positions import Document, Problem, Where, part_of, read_yaml, spelt
from bot.targets.registry import target_kinds
from bot.targets.support.kind import TargetSettings

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_MAY_BE_EMPTY = ":-"
"""After a variable's name as in a shell: ``${LEASE:-}`` may be unset, and is then empty."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {
    "extra_forbidden": "unknown field",
    "missing": "is missing",
    "string_type": "must be text; put a number or `yes` in quotes",
    "string_pattern_mismatch": "must be lower-case letters, digits, `-` and `_`, beginning with a letter",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a list",
}


class CatalogueError(BotError):
    """The catalogue cannot be used; ``problems`` lists everything that is wrong with it."""

    reason = "catalogue_invalid"
    default_hint = "Fix the catalogue; `pilothouse check` shows every problem at once."

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Build a message with one line per problem."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def load_catalogue(path: Path, env: Mapping[str, str]) -> Catalogue:
    """Read the catalogue; ``${NAME}`` in a value becomes the environment variable of that name.

    Raises:
        CatalogueError: the file is missing or wrong, or a variable is not set; no value is ever shown.
    """
    document = read_yaml(path)
    if not document.problems:
        document.data = _filled(document, document.data, env)
        catalogue = _checked(document)
        if catalogue is not None and not document.problems:
            return catalogue
    raise CatalogueError(sorted(document.problems))


def _filled(document: Document, data: JsonValue, env: Mapping[str, str], where: Where = ()) -> JsonValue:
    """Return ``data`` with the placeholders of every text filled in."""
    match data:
        case dict():
            return {key: _filled(document, item, env, (*where, key)) for key, item in data.items()}
        case list():
            return [_filled(document, item, env, (*where, index)) for index, item in enumerate(data)]
        case str():
            return _PLACEHOLDER.sub(lambda found: _value(document, found, env, where), data)
        case _:
            return data


def _value(document: Document, found: re.Match[str], env: Mapping[str, str], where: Where) -> str:
    name = found.group(1).removesuffix(_MAY_BE_EMPTY)
    if not _VARIABLE.fullmatch(name):
        document.report(where, f"`{found.group()}` names no environment variable")
    elif not env.get(name) and not found.group(1).endswith(_MAY_BE_EMPTY):
        document.report(where, f"the environment variable {name} is not set{did_you_mean(name, env)}")
    return env.get(name, "")


def _checked(document: Document) -> Catalogue | None:
    """Return the data as a catalogue; problems are added to the document's."""
    if not isinstance(document.data, dict):
        document.report((), "must be a mapping with `services:`")
        return None
    for where, text in (*_dangling(document.data), *_wrong_targets(document)):
        document.report(where, text)
    try:
        return Catalogue.model_validate(document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False, include_context=False):
            if detail["loc"]:  # problems of the catalogue as a whole are already listed, with lines
                document.report(
                    _place(detail["loc"]), _in_words(detail["type"], detail["msg"], detail["loc"])
                )
    return None


def _place(loc: tuple[int | str, ...]) -> Where:
    """Return an error's location without the marker of a mapping's key."""
    return tuple(part for part in loc if part != "[key]")


def _in_words(kind: str, message: str, loc: tuple[int | str, ...]) -> str:
    if kind == "extra_forbidden":
        return f"{_WORDS[kind]}{did_you_mean(str(loc[-1]), _fields(loc))}"
    text = message.removeprefix("Value error, ").replace("Input should", "must")
    return _WORDS.get(kind, text[:1].lower() + text[1:])


def _fields(loc: tuple[int | str, ...]) -> Iterable[str]:
    """Return the fields that are allowed where an unknown one was found."""
    models: dict[tuple[str, ...], type[BaseModel]] = {
        (): Catalogue,
        ("services",): Service,
        ("services", "environments"): Environment,
        ("services", "failover"): Failover,
        ("services", "monitors"): Monitor,
        ("services", "slos"): Slo,
        ("services", "cost"): Cost,
        ("services", "gates"): Gates,
        ("services", "gates", "checklist"): ChecklistItem,
        ("services", "freezes"): Freeze,
        ("services", "freezes", "except"): Exemption,
        ("freezes",): GlobalFreeze,
        ("freezes", "except"): Exemption,
        ("groups",): ApproverGroup,
    }
    named = tuple(part for part in loc[:-1] if isinstance(part, str))
    called = (("groups",), ("services", "environments"), ("services", "gates", "checklist"))
    if named[:-1] in called:
        named = named[:-1]  # the last is the name that people gave it
    fields = models[named].model_fields
    return [field.alias or name for name, field in fields.items()]


def _dangling(data: JsonValue) -> Iterable[tuple[Where, str]]:
    """Report duplicate names, and references to services that do not exist."""
    services = part_of(data, ("services",))
    entries = services if isinstance(services, list) else []
    names = [part_of(entry, ("name",)) for entry in entries]
    known = [name for name in names if isinstance(name, str)]
    known += [
        f"{name}@{there}"
        for name, entry in zip(names, entries, strict=True)
        for there in _environments(entry)
        if f"{name}@{there}" not in known
    ]
    for index, entry in enumerate(entries):
        if names[index] in names[:index]:
            yield ("services", index, "name"), f"two services are called `{names[index]}`"
        first, known_here = part_of(entry, ("gates", "staging_first")), _environments(entry)
        if isinstance(first, str) and first not in known_here:
            text = f"this service has no environment `{first}`{did_you_mean(first, known_here)}"
            yield ("services", index, "gates", "staging_first"), text
        for at, again in _twice(part_of(entry, ("slos",))):
            yield ("services", index, "slos", at, "name"), f"two SLOs are called `{again}`"
        bases: list[Where] = [(), *(("environments", there) for there in _environments(entry))]
        for place in [
            *(place for base in bases for place in _standing_on(entry, base)),
            ("failover", "service"),
        ]:
            name = part_of(entry, place)
            if isinstance(name, str) and name not in known:
                text = f"unknown service `{name}`{did_you_mean(name, known)}"
                yield ("services", index, *place), text


def _wrong_targets(document: Document) -> Iterable[tuple[Where, str]]:
    """Report problems in the settings of targets, by the models that their kinds declare."""
    services = part_of(document.data, ("services",))
    reported = {problem.where for problem in document.problems}
    for index, entry in enumerate(services if isinstance(services, list) else ()):
        for base in [(), *(("environments", there) for there in _environments(entry))]:
            for name, kind in target_kinds().items():
                place: Where = (*base, "target", name)
                settings = part_of(entry, place)
                if not isinstance(settings, dict) or not all(isinstance(v, str) for v in settings.values()):
                    continue  # none, or a kind that the catalogue's own model reports
                for field, text in _wrong_settings(kind.settings, settings):
                    if spelt(where := ("services", index, *place, field)) not in reported:
                        yield where, text


def _wrong_settings(model: type[TargetSettings], settings: JsonValue) -> Iterable[tuple[str, str]]:
    try:
        model.model_validate(settings)
    except ValidationError as error:
        names = [field.alias or name for name, field in model.model_fields.items()]
        for detail in error.errors(include_url=False, include_input=False, include_context=False):
            field = str(detail["loc"][0])
            nearest = did_you_mean(field, names) if detail["type"] == "extra_forbidden" else ""
            text = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
            yield field, _WORDS.get(detail["type"], text[:1].lower() + text[1:]) + nearest


def _environments(entry: JsonValue) -> Sequence[str]:
    """List the names of a service's other environments."""
    found = part_of(entry, ("environments",))
    return tuple(found) if isinstance(found, dict) else ()


def _standing_on(entry: JsonValue, base: Where) -> Iterable[Where]:
    """Yield where a service, or one of its environments, names its dependencies."""
    wanted = part_of(entry, (*base, "depends_on"))
    return [(*base, "depends_on", at) for at, _ in enumerate(wanted if isinstance(wanted, list) else ())]


def _twice(entries: JsonValue) -> Iterable[tuple[int, str]]:
    """Yield the names in a list of entries that an earlier entry already has."""
    names = [part_of(entry, ("name",)) for entry in entries] if isinstance(entries, list) else []
    return [(at, name) for at, name in enumerate(names) if isinstance(name, str) and name in names[:at]]
