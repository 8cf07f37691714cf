"""The rules of each kind of phase, how phases refer to each other, and what needs an approval."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from bot.domain.catalogue import Catalogue
from bot.domain.diagnosis import CauseKind
from bot.domain.runbook import (
    Background,
    Check,
    Explore,
    FanOut,
    Param,
    Pipeline,
    Plan,
    Reduce,
    Remedy,
    steps_of,
)
from bot.engine.marked_yaml import Where
from bot.engine.names import Spot
from bot.engine.nearest import did_you_mean
from bot.engine.plugins import Plugins
from bot.engine.shape import Draft, Drafted
from bot.engine.step_rules import (
    AS_WRITTEN,
    check_all,
    check_gathering,
    check_steps,
    refuse_same_checks,
    refuse_twice,
)

_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_CAUSES = tuple(kind.value for kind in CauseKind)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A phase among the others."""

    spot: Spot
    all: tuple[Drafted, ...]
    index: int

    @property
    def earlier(self) -> tuple[Drafted, ...]:
        return self.all[: self.index]

    def find(self, field: str, name: str, kinds: Sequence[str], *, later: bool = False) -> Drafted | None:
        """Find the phase that ``field`` names: an earlier one, or a later one, of one of these kinds."""
        return self.find_at((field,), name, kinds, later=later)

    def find_at(
        self, where: Where, name: str, kinds: Sequence[str], *, later: bool = False
    ) -> Drafted | None:
        """As ``find``, for a name that stands deeper."""
        spot = self.spot.at(*where)
        wanted = " or ".join(f"`{kind}`" for kind in kinds)
        side = self.all[self.index + 1 :] if later else self.earlier
        found = next((other for other in self.all if other.id == name), None)
        if found is None:
            known = [other.id for other in side if other.kind in kinds]
            spot.report(f"there is no phase `{name}`{did_you_mean(name, known)}")
        elif found.kind not in kinds:
            spot.report(f"`{name}` is a `{found.kind}` phase; it must be a {wanted}")
        elif found not in side:
            spot.report(f"`{name}` must come {'after' if later else 'before'} this phase")
        else:
            return found
        return None


def check_draft(
    draft: Draft, *, plugins: Plugins, catalogue: Catalogue | None, library: Mapping[str, Draft]
) -> None:
    """Check one runbook against all rules; problems go into its document."""
    spot = Spot(document=draft.document, plugins=plugins, catalogue=catalogue, params=draft.params)
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
        if any(isinstance(p.phase, Reduce) and p.phase.reducer == "rank_causes" for p in earlier):
            here = here.knowing("cause")
        _check_phase(_Place(spot=here, all=draft.phases, index=index), library=library)


def _check_param(spot: Spot, name: str, param: Param) -> None:
    if not _PARAM_NAME.fullmatch(name):
        spot.report("a parameter's name is lower-case letters, digits and `_`, beginning with a letter")
    if name == "service" and param.type != "service":
        spot.at("type").report("the parameter `service` must be of type `service`")
    if param.required and param.default is not None:
        spot.at("default").report("a required parameter has no default")
    types: tuple[type, ...] = {"integer": (int,), "boolean": (bool,), "duration": (int, float)}.get(
        param.type, (str,)
    )
    wrong = not isinstance(param.default, types) or (isinstance(param.default, bool) and bool not in types)
    if param.default is not None and wrong:
        spot.at("default").report(f"does not fit the type `{param.type}`")


def _check_phase(place: _Place, *, library: Mapping[str, Draft]) -> None:
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
            _check_plan(place, phase)
        case Pipeline():
            _check_pipeline(place, phase)
        case Background():
            _check_background(place, phase, library=library)
        case _:
            assert_never(phase)


def _check_reduce(place: _Place, phase: Reduce) -> None:
    for index, name in enumerate(phase.over):
        place.find_at(("over", index), name, ("explore", "fan_out"))
    if phase.reducer == "rank_causes" and "service" not in place.spot.params:
        place.spot.at("reducer").report("`rank_causes` needs a parameter `service`")
    for name, value in phase.arguments.items():
        place.spot.at("with", name).check_value(value)


def _check_plan(place: _Place, phase: Plan) -> None:
    spot = place.spot
    if phase.of is not None:
        found = place.find("of", phase.of, ("pipeline",), later=True)
        if found and isinstance(found.phase, Pipeline) and found.phase.plan != place.all[place.index].id:
            spot.at("of").report(f"`{phase.of}` must name this plan: `plan: {phase.id}`")
        if phase.remedies:
            spot.at("remedies").report("a plan `of` a pipeline has no remedies")
    else:
        _check_diagnosis(place, phase)
    for kind, remedies in phase.remedies.items():
        here = spot.at("remedies", kind)
        if kind not in _CAUSES:
            known = did_you_mean(kind, _CAUSES) or f"; there are {', '.join(_CAUSES)}"
            here.report(f"no kind of cause is called `{kind}`{known}")
        for index, remedy in enumerate(remedies):
            if any(other.when is None for other in remedies[:index]):
                here.at(index).report("is never chosen: one before it has no `when`")
            _check_remedy(here.at(index), remedy, shared=phase.verify)
    check_all(spot, "verify", phase.verify)


def _check_diagnosis(place: _Place, phase: Plan) -> None:
    found = place.find("diagnosis", phase.diagnosis or "", ("reduce",))
    if found and isinstance(found.phase, Reduce) and found.phase.reducer != "rank_causes":
        place.spot.at("diagnosis").report(
            f"`{found.id}` ranks no causes: its reducer is `{found.phase.reducer}`"
        )
    if not phase.remedies:
        place.spot.report("has no `remedies`")


def _check_remedy(spot: Spot, remedy: Remedy, *, shared: tuple[Check, ...]) -> None:
    spot.at("when").check_expression(remedy.when)
    spot.at("summary").check_value(remedy.summary)
    spot.at("risk").check_value(remedy.risk)
    check_steps(spot, remedy.steps)
    check_all(spot, "verify", remedy.verify)
    refuse_same_checks(spot, remedy.steps, (*remedy.verify, *shared))


def _check_pipeline(place: _Place, phase: Pipeline) -> None:
    spot = place.spot
    planned: Drafted | None = None
    if phase.plan is not None:
        planned = place.find("plan", phase.plan, ("plan",))
        if phase.verify:
            spot.at("verify").report(f"put it into `{phase.plan}`: people approve the checks with the plan")
        if planned and isinstance(planned.phase, Plan) and phase.steps and planned.phase.of != phase.id:
            spot.at("steps").report(
                f"`{phase.plan}` has the steps; leave these out, or say `of: {phase.id}` there"
            )
    check_steps(_before(spot, planned), phase.steps)
    check_all(spot, "verify", phase.verify, titles_filled=False)
    check_all(spot, "watch", phase.watch, titles_filled=False)
    refuse_same_checks(spot, phase.steps, phase.verify)
    steps = (*phase.steps, *(steps_of(planned.phase) if planned and planned.phase else ()))
    if not any(step.is_action for step in steps):
        return
    if phase.approval is None:
        spot.report("has actions, so it needs an `approval`")
    elif not phase.approval.groups and "service" not in spot.params:
        spot.at("approval").report("name the `groups` who may approve: there is no parameter `service`")


def _check_planned(spot: Spot, phase: Pipeline, plan: Plan) -> None:
    """Make sure that what is approved is what is done."""
    if plan.of is not None and plan.of != phase.id:
        spot.at("plan").report(f"`{plan.id}` plans the pipeline `{plan.of}`, not this one")
    elif plan.of is None and phase.steps:
        spot.at("steps").report(
            f"`{plan.id}` has remedies, so leave these out, or say `of: {phase.id}` there"
        )


def _before(spot: Spot, planned: Drafted | None) -> Spot:
    """Know only what is known when the plan is rendered."""
    if planned is None:
        return spot
    ids = list(spot.phases)
    kept = set(ids[: ids.index(planned.id)]) if planned.id in ids else set(ids)
    return replace(
        spot,
        phases={name: phase for name, phase in spot.phases.items() if name in kept},
        later=spot.later | (set(ids) - kept),
    )


def _check_background(place: _Place, phase: Background, *, library: Mapping[str, Draft]) -> None:
    spot = place.spot
    if phase.after is not None:
        place.find("after", phase.after, ("pipeline",))
    if isinstance(phase.for_s, str):
        spot.at("for_s").check_expression(phase.for_s)
    check_all(spot, "checks", phase.checks, titles_filled=False)
    if phase.on_breach is None:
        return
    target = library.get(phase.on_breach)
    if target is None:
        known = did_you_mean(phase.on_breach, library)
        spot.at("on_breach").report(f"there is no runbook `{phase.on_breach}`{known}")
        return
    for name, param in target.params.items():
        if param.required and name not in spot.params:
            spot.at("on_breach").report(f"`{phase.on_breach}` needs a parameter `{name}`, which is not here")
