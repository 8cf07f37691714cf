"""Checks the references of templates in a runbook, before anything runs."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Cause, Diagnosis, ReducerResult
from bot.domain.errors import TemplateError
from bot.domain.model import JsonValue
from bot.domain.nearest import did_you_mean
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Param, Reduce, steps_of
from bot.engine.plugins import Plugin, Plugins
from bot.loader.schema_errors import PhaseDraft
from bot.loader.yaml_positions import Document, Where
from bot.templating.scope import READABLE_SETTINGS, RunFacts, ServiceFacts
from bot.templating.templates import (
    expression_problems,
    expressions_in,
    is_template,
    problems,
    references,
)

_ROOTS: Mapping[str, type[BaseModel]] = {"service": ServiceFacts, "run": RunFacts, "cause": Cause}


@dataclass(frozen=True, kw_only=True)
class TemplatePlace:
    """A place in a runbook's file, with the names that are known there."""

    document: Document
    plugins: Plugins
    catalogue: Catalogue | None
    params: Mapping[str, Param]
    where: Where = ()
    phases: Mapping[str, PhaseDraft] = field(default_factory=dict)
    """The phases that have ended when this place is reached."""
    later: frozenset[str] = frozenset()
    """Ids of the other phases, for the message."""
    roots: frozenset[str] = frozenset({"params", "phases", "settings", "run"})
    result: type[BaseModel] | None = None
    """What ``result`` is, where it is known."""

    def at(self, *parts: str | int) -> TemplatePlace:
        """Return a place below this one."""
        return replace(self, where=(*self.where, *parts))

    def knowing(self, *roots: str, result: type[BaseModel] | None = None) -> TemplatePlace:
        """Return the place with more names that templates may refer to."""
        return replace(self, roots=self.roots | set(roots), result=result or self.result)

    def report(self, text: str, *, at: Where | None = None) -> None:
        """Report a problem here."""
        self.document.report(self.where, text, at=at)

    def check_value(self, value: JsonValue) -> None:
        """Check every template in a value; each problem is reported at its place."""
        for place, text in _leaves(value):
            spot = self.at(*place)
            for problem in problems(text, self.roots):
                spot.report(problem)
            try:
                expressions = expressions_in(text)
            except TemplateError:
                continue  # already reported
            for expression in expressions:
                spot.check_references(expression)

    def check_expression(self, expression: str | None) -> None:
        """Check an expression, where there is one."""
        if expression is None:
            return
        if is_template(expression):
            self.report("this is already an expression, so leave the braces out")
            return
        for problem in expression_problems(expression, self.roots):
            self.report(problem)
        self.check_references(expression)

    def check_references(self, expression: str) -> None:
        """Check that everything an expression refers to can be there."""
        try:
            paths = references(expression)
        except TemplateError:
            return  # already reported
        for path in paths:
            text = self._absent(path) if path[0] in self.roots else ""
            if text:
                self.report(f"`{'.'.join(path)}`: {text}")

    def refuse_templates(self, text: str, *, why: str) -> None:
        """Report braces in a text that is not rendered."""
        if is_template(text):
            self.report(f"`{{{{ … }}}}` is not filled in here: {why}")

    def _absent(self, path: tuple[str, ...]) -> str:
        match path:
            case ("params", name, *_) if name not in self.params:
                return f"the runbook has no parameter `{name}`{did_you_mean(name, self.params)}"
            case ("settings", name, *_) if name not in READABLE_SETTINGS:
                return f"no setting `{name}` can be read{did_you_mean(name, READABLE_SETTINGS)}"
            case ("phases", name, *rest):
                return self._absent_in_phase(name, tuple(rest))
            case ("result", *rest) if self.result is not None:
                return absent(self.result, tuple(rest))
            case (root, *rest) if root in _ROOTS:
                return absent(_ROOTS[root], tuple(rest), properties=True)
            case _:
                return ""

    def _absent_in_phase(self, name: str, rest: tuple[str, ...]) -> str:
        drafted = self.phases.get(name)
        if drafted is None:
            if name in self.later:
                return f"the phase `{name}` has not ended by then"
            return f"no phase is called `{name}`{did_you_mean(name, self.phases)}"
        match rest:
            case ("steps", step, *more):
                return self._absent_in_step(drafted, step, tuple(more))
            case ("output", *more) if isinstance(drafted.phase, Reduce):
                made = Diagnosis if drafted.phase.reducer == "rank_causes" else ReducerResult
                return absent(made, tuple(more))
            case ("plan", *more):
                return absent(RenderedPlan, tuple(more), properties=True)
            case _:
                return absent(PhaseState, rest, properties=True)

    def _absent_in_step(self, drafted: PhaseDraft, name: str, rest: tuple[str, ...]) -> str:
        if drafted.phase is None or drafted.kind in ("plan", "pipeline"):
            return ""
        steps = {step.id: step for step in steps_of(drafted.phase)}
        step = steps.get(name.partition("[")[0])
        if step is None:
            return f"the phase `{drafted.id}` has no step `{name}`{did_you_mean(name, steps)}"
        if step.for_each is not None and name == step.id:
            return f'there is one step per item, such as `steps["{name}[0]"]`'
        plugin = self.plugins.by_name.get(step.plugin)
        made = result_of(plugin) if plugin else None
        match rest:
            case ("result", *more) if made is not None:
                return absent(made, tuple(more))
            case _:
                return absent(StepState, rest, properties=True)


def result_of(plugin: Plugin) -> type[BaseModel] | None:
    """Return the model that a plugin returns; none where its signature does not name one."""
    made = get_type_hints(plugin.function).get("return")
    return made if isinstance(made, type) and issubclass(made, BaseModel) else None


def absent(model: type[BaseModel], path: tuple[str, ...], *, properties: bool = False) -> str:
    """Return a problem for the first part of a path that a model lacks; empty if there is none."""
    here: Any = model
    for part in path:
        if not (isinstance(here, type) and issubclass(here, BaseModel)):
            return ""
        if part not in here.model_fields:
            if properties and isinstance(getattr(here, part, None), property):
                return ""
            return f"there is no `{part}`{did_you_mean(part, here.model_fields)}"
        here = _bare(here.model_fields[part].annotation)
    return ""


def _bare(annotation: Any) -> Any:  # noqa: ANN401  # annotations have no common type
    """Return an annotation without ``| None``."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next((part for part in get_args(annotation) if part is not type(None)), None)
    return annotation


def _leaves(value: JsonValue, where: Where = ()) -> Iterator[tuple[Where, str]]:
    """Yield every text of a value that holds templates, with its place."""
    if isinstance(value, str):
        if is_template(value):
            yield where, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*where, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*where, key))
