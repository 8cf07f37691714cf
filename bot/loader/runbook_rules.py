"""The rules of a whole runbook: its parameters, its phases, and how they refer to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.finding import Findings
from bot.domain.nearest import did_you_mean
from bot.domain.pattern import Pattern
from bot.domain.runs.runbook import (
    Background,
    Explore,
    FanOut,
    Param,
    Pipeline,
    Plan,
    Reduce,
    ReducerName,
    steps_of,
)
from bot.engine.plugins import Plugins
from bot.loader.phase_refs import PhasePosition
from bot.loader.plan_rules import check_pipeline, check_plan
from bot.loader.schema_errors import PhaseDraft, RunbookDraft
from bot.loader.step_rules import AS_WRITTEN, check_all, check_gathering, refuse_twice
from bot.loader.template_refs import TemplatePlace, result_of

_REDUCER_ARGUMENTS: Mapping[ReducerName, tuple[str, ...]] = {
    "rank_causes": ("since_s",),
    "all": (),
    "any": (),
    "worst": (),
    "rollback_safety": ("accept",),
}
_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


def check_draft(
    draft: RunbookDraft, *, plugins: Plugins, catalogue: Catalogue | None, library: Mapping[str, RunbookDraft]
) -> None:
    """Check one runbook against all rules; problems go into its document."""
    spot = TemplatePlace(document=draft.document, plugins=plugins, catalogue=catalogue, params=draft.params)
    if "service" in draft.params:
        spot = spot.knowing("service")
    for name, param in draft.params.items():
        _check_param(spot.at("params", name), name, param)
    refuse_twice(spot, "phases", ((phase.id, (*phase.where, "id")) for phase in draft.phases if phase.id))
    for index, drafted in enumerate(draft.phases):
        if drafted.phase is None:
            continue
        earlier = draft.phases[:index]
        here = replace(
            spot.at(*drafted.where),
            phases={phase.id: phase for phase in earlier},
            later=frozenset(phase.id for phase in draft.phases[index:]),
        )
        if any(_may_rank_causes(phase) for phase in earlier):
            here = here.knowing("cause")
        _check_phase(PhasePosition(spot=here, all=draft.phases, index=index), library=library)


def _may_rank_causes(drafted: PhaseDraft) -> bool:
    """Return whether templates may refer to a ``cause`` after this phase; an invalid phase might allow it."""
    if isinstance(drafted.phase, Reduce):
        return drafted.phase.reducer == "rank_causes"
    return drafted.phase is None and drafted.kind == "reduce"


def _check_param(spot: TemplatePlace, name: str, param: Param) -> None:
    if not _PARAM_NAME.fullmatch(name):
        spot.report("a parameter's name is lower-case letters, digits and `_`, beginning with a letter")
    if name == "service" and param.type != "service":
        spot.at("type").report("the parameter `service` must be of type `service`")
    if param.pattern and param.type != "string":
        spot.at("pattern").report("only a `string` has a pattern")
    try:
        Pattern.of_whole(param.pattern)
    except ValueError as error:
        spot.at("pattern").report(str(error))
    if param.required and param.default is not None:
        spot.at("default").report("a required parameter has no default")
    types: tuple[type, ...] = {"integer": (int,), "boolean": (bool,), "duration": (int, float)}.get(
        param.type, (str,)
    )
    wrong = not isinstance(param.default, types) or (isinstance(param.default, bool) and bool not in types)
    if param.default is not None and wrong:
        spot.at("default").report(f"does not fit the type `{param.type}`")


def _check_phase(place: PhasePosition, *, library: Mapping[str, RunbookDraft]) -> None:
    phase, spot = place.all[place.index].phase, place.spot
    if phase is None:
        return
    spot.at("when").check_expression(phase.when)
    spot.at("title").refuse_templates(phase.title, why=AS_WRITTEN)
    match phase:
        case Explore() | FanOut():
            check_gathering(spot, phase)
        case Reduce():
            _check_reduce(place, phase)
        case Plan():
            check_plan(place, phase)
        case Pipeline():
            check_pipeline(place, phase)
        case Background():
            _check_background(place, phase, library=library)
        case _:
            assert_never(phase)


def _check_reduce(place: PhasePosition, phase: Reduce) -> None:
    spot = place.spot
    found = [
        place.find_at(("over", index), name, ("explore", "fan_out")) for index, name in enumerate(phase.over)
    ]
    if phase.reducer == "rank_causes":
        if "service" not in spot.params:
            spot.at("reducer").report("`rank_causes` needs a parameter `service`")
        for index, drafted in enumerate(found):
            _check_findings(spot.at("over", index), drafted)
    elif phase.look_again_s is not None:
        spot.at("look_again_s").report("only `rank_causes` has a diagnosis that may be unclear")
    known = _REDUCER_ARGUMENTS[phase.reducer]
    for name, value in phase.arguments.items():
        if name not in known:
            text = f"no parameter `{name}` in {phase.reducer}{did_you_mean(name, known)}"
            spot.at("with").report(text, at=(*spot.where, "with", name))
        spot.at("with", name).check_value(value)


def _check_findings(spot: TemplatePlace, drafted: PhaseDraft | None) -> None:
    """Check that every step from which causes are ranked returns findings."""
    if drafted is None or drafted.phase is None:
        return
    for step in steps_of(drafted.phase):
        plugin = spot.plugins.by_name.get(step.plugin)
        made = result_of(plugin) if plugin is not None and plugin.kind == "probe" else None
        if made is not None and made is not Findings:
            what = made.__name__.lower()
            spot.report(f"causes are ranked from findings; `{step.id}` of `{drafted.id}` brings {what}")


def _check_background(
    place: PhasePosition, phase: Background, *, library: Mapping[str, RunbookDraft]
) -> None:
    spot = place.spot
    if phase.after is not None:
        place.find("after", phase.after, ("pipeline",))
    if isinstance(phase.for_s, str):
        spot.at("for_s").check_expression(phase.for_s)
    check_all(spot.knowing("last"), "checks", phase.checks, titles_filled=False)
    if phase.on_breach is None:
        return
    target = library.get(phase.on_breach)
    if target is None:
        known = did_you_mean(phase.on_breach, library)
        spot.at("on_breach").report(f"no runbook is called `{phase.on_breach}`{known}")
        return
    for name, param in target.params.items():
        if param.required and name not in spot.params:
            spot.at("on_breach").report(f"`{phase.on_breach}` needs a parameter `{name}`, which is not here")
