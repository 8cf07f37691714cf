"""Checks a document against the runbook schema, and reports errors in plain words."""

from __future__ import annotations

import types
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.domain.durations import parse_duration
from bot.domain.model import JsonObject, JsonValue
from bot.domain.nearest import did_you_mean, nearest
from bot.domain.runs.runbook import Background, Explore, FanOut, Param, Phase, Pipeline, Plan, Reduce, Runbook
from bot.loader.yaml_positions import Document, Where, part_of

PHASES: Final[Mapping[str, type[BaseModel]]] = {
    "explore": Explore,
    "plan": Plan,
    "fan_out": FanOut,
    "reduce": Reduce,
    "pipeline": Pipeline,
    "background": Background,
}
"""The six kinds of phase."""

_Fitted = TypeVar("_Fitted", bound=BaseModel)
_ROUNDS = 5
_WORDS = {
    "string_pattern_mismatch": "must be lower-case letters, digits, `-` and `_`, beginning with a letter",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of names to values",
    "model_attributes_type": "must be a mapping of names to values",
    "tuple_type": "must be a list",
    "too_short": "must have at least one item",
}


@dataclass(frozen=True, kw_only=True)
class PhaseDraft:
    """One phase of a file; ``phase`` is none where a field is invalid, but id and kind may be known."""

    where: Where
    id: str
    kind: str
    phase: Phase | None


@dataclass(frozen=True, kw_only=True)
class RunbookDraft:
    """The readable parts of a runbook's file."""

    document: Document
    name: str
    params: Mapping[str, Param]
    phases: tuple[PhaseDraft, ...]
    runbook: Runbook | None
    """The whole runbook, where its fields are valid."""


def draft_of(document: Document) -> RunbookDraft:
    """Read a document as a runbook; errors are added to its ``problems``, nothing is raised."""
    if not isinstance(document.data, dict):
        if not document.problems:
            document.report((), "is not a runbook: it must begin with `name:`, `summary:` and `phases:`")
        return RunbookDraft(document=document, name="", params={}, phases=(), runbook=None)
    data = _in_seconds(document, document.data)
    params = {
        name: _fitted(document, Param, item, where=("params", name))
        for name, item in _mapping(data, "params").items()
    }
    phases = data.get("phases")
    drafted = [
        _drafted(document, item, ("phases", index))
        for index, item in enumerate(phases if isinstance(phases, list) else ())
    ]
    return RunbookDraft(
        document=document,
        name=_text(data, "name"),
        params={name: param or Param() for name, param in params.items()},
        phases=tuple(drafted),
        runbook=_whole(document, data),
    )


def _whole(document: Document, data: JsonObject) -> Runbook | None:
    """Return the whole runbook; problems inside parameters and phases are already reported."""
    try:
        return Runbook.model_validate(data)
    except ValidationError as error:
        told = [
            detail
            for detail in error.errors(include_url=False)
            if detail["loc"] and (detail["loc"][0] not in ("params", "phases") or len(detail["loc"]) == 1)
        ]
        _report_errors(document, Runbook, data, told, where=())
        return None


def _in_seconds(document: Document, data: JsonObject) -> JsonObject:
    """Turn the defaults of durations, written ``30m``, into seconds."""
    made = deepcopy(data)
    for name, param in _mapping(made, "params").items():
        if not isinstance(param, dict) or param.get("type") != "duration":
            continue
        default = param.get("default")
        if isinstance(default, str):
            try:
                param["default"] = parse_duration(default)
            except ValueError as error:
                document.report(("params", name, "default"), f"`{default}` {error}")
                del param["default"]
    return made


def _drafted(document: Document, item: JsonValue, where: Where) -> PhaseDraft:
    phase: BaseModel | None = None
    kind = _text(item, "kind")
    if not isinstance(item, dict):
        document.report(where, "is not a phase: it needs an `id` and a `kind`")
    elif kind in PHASES:
        phase = _fitted(document, PHASES[kind], item, where=where)
    else:
        known = ", ".join(f"`{name}`" for name in PHASES)
        what = f"no kind of phase is called `{kind}`{did_you_mean(kind, PHASES)}" if kind else "has no `kind`"
        document.report((*where, "kind"), f"{what}; the kinds are {known}")
    return PhaseDraft(where=where, id=_text(item, "id"), kind=kind, phase=cast("Phase | None", phase))


def _fitted(document: Document, model: type[_Fitted], item: JsonValue, *, where: Where) -> _Fitted | None:
    """Validate data by a model; unknown fields are reported and removed, so that the rest is checked too."""
    data = deepcopy(item)
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(data)
        except ValidationError as error:
            details = error.errors(include_url=False)
            _report_errors(document, model, data, details, where=where)
            unknown = [place_of(data, d["loc"]) for d in details if d["type"] == "extra_forbidden"]
            if len(unknown) < len(details):
                return None
            for place in unknown:
                _put_aside(model, data, place)
    return None


def _report_errors(
    document: Document, model: type[BaseModel], data: JsonValue, details: list[ErrorDetails], *, where: Where
) -> None:
    """Report errors in plain words, one for each place."""
    texts: dict[Where, list[str]] = {}
    for detail in details:
        place = place_of(data, detail["loc"])
        if detail["type"] == "missing":
            place = place[:-1]
        texts.setdefault(place, []).append(_in_words(model, place, detail))
    for place, said in texts.items():
        if said == [_WORDS["too_short"]] and any(place == other[: len(place)] != other for other in texts):
            continue  # not empty: its items are wrong, which is reported
        missing = [text for text in said if text.endswith("is missing")]
        for text in missing or [", or ".join(dict.fromkeys(said))]:
            document.report((*where, *place), text)


def _in_words(model: type[BaseModel], place: Where, detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return f"`{detail['loc'][-1]}` is missing"
    if kind == "extra_forbidden":
        return f"unknown field `{place[-1]}`{did_you_mean(str(place[-1]), _fields(model, place))}"
    if kind == "string_type":
        return "must be text" + ("; put it in quotes" if isinstance(value, int | float) else "")
    if kind == "literal_error":
        expected = str(detail["ctx"]["expected"])
        return f"must be {expected}{did_you_mean(str(value), expected.split(chr(39))[1::2])}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    text = detail["msg"].replace("Input should", "must")
    return _WORDS.get(kind, text[:1].lower() + text[1:])


def place_of(data: JsonValue, loc: tuple[int | str, ...]) -> Where:
    """Return an error's location as a place in the data, without the names of union members."""
    place: list[int | str] = []
    for index, part in enumerate(loc):
        here = part_of(data, tuple(place))
        known = isinstance(here, dict) and (part in here or index == len(loc) - 1)
        if known or (isinstance(here, list) and isinstance(part, int)):
            place.append(part)
    return tuple(place)


def _put_aside(model: type[BaseModel], data: JsonValue, place: Where) -> None:
    """Remove an unknown field, or rename it to the one that was meant."""
    above = part_of(data, place[:-1])
    if isinstance(above, dict):
        value = above.pop(str(place[-1]), None)
        meant = nearest(str(place[-1]), _fields(model, place))
        if meant and meant not in above:
            above[meant] = value


def _fields(model: type[BaseModel], place: Where) -> list[str]:
    """List the fields that are allowed beside ``place``."""
    annotation: Any = model
    for part in place[:-1]:
        annotation = _below(_bare(annotation), part)
    bare = _bare(annotation)
    if not (isinstance(bare, type) and issubclass(bare, BaseModel)):
        return []
    return [field.alias or name for name, field in bare.model_fields.items()]


def _below(annotation: Any, part: str | int) -> Any:  # noqa: ANN401  # annotations have no common type
    """Return the annotation of one part of a value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
        return None
    arguments = get_args(annotation)
    if not arguments:
        return None
    return arguments[1] if get_origin(annotation) is dict else arguments[0]


def _bare(annotation: Any) -> Any:  # noqa: ANN401  # annotations have no common type
    """Return an annotation without ``Annotated`` and ``| None``."""
    while get_origin(annotation) in (Annotated, Union, types.UnionType):
        annotation = get_args(annotation)[0]
    return annotation


def _mapping(data: JsonObject, key: str) -> JsonObject:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: JsonValue, key: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""
