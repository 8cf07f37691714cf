"""The rules of plans and pipelines: exactly what is approved is done, and nothing without approval."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.nearest import did_you_mean
from bot.domain.runs.runbook import Check, Pipeline, Plan, Reduce, Remedy, Step
from bot.loader.phase_refs import PhasePosition
from bot.loader.schema_errors import PhaseDraft
from bot.loader.step_rules import check_all, check_steps, refuse_same_checks
from bot.loader.template_refs import TemplatePlace

_CAUSES = tuple(kind.value for kind in CauseKind)


def check_plan(place: PhasePosition, phase: Plan) -> None:
    """Check a plan: of a later pipeline, or with remedies for the causes that a diagnosis may find."""
    spot = place.spot
    for field in ("summary", "risk"):
        spot.at(field).check_value(getattr(phase, field))
        if getattr(phase, field) and phase.of is None:
            spot.at(field).report("each remedy has its own")
    if phase.of is not None:
        _check_of(place, phase, phase.of)
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


def check_pipeline(place: PhasePosition, phase: Pipeline) -> None:
    """Check a pipeline and the plan that people approve, and that they are asked before its first action."""
    spot = place.spot
    planned = _plan_of(place, phase)
    check_steps(_before(spot, planned), phase.steps)
    check_all(spot, "verify", phase.verify)
    check_all(spot, "watch", phase.watch, titles_filled=False)
    shared = planned.phase.verify if planned and isinstance(planned.phase, Plan) else ()
    refuse_same_checks(spot, phase.steps, (*phase.verify, *shared))
    _check_approvals(spot, phase, planned)
    _check_lease(spot, phase)


def _check_of(place: PhasePosition, phase: Plan, name: str) -> None:
    found = place.find("of", name, ("pipeline",), later=True)
    if found and isinstance(found.phase, Pipeline) and not found.phase.steps:
        place.spot.at("of").report(f"`{name}` has no steps of its own")
    if any(isinstance(other.phase, Plan) and other.phase.of == name for other in place.earlier):
        place.spot.at("of").report(f"an earlier plan is that of `{name}`")
    if phase.remedies:
        place.spot.at("remedies").report("a plan `of` a pipeline has no remedies")


def _check_diagnosis(place: PhasePosition, phase: Plan) -> None:
    found = place.find("diagnosis", phase.diagnosis or "", ("reduce",))
    if found and isinstance(found.phase, Reduce) and found.phase.reducer != "rank_causes":
        reducer = found.phase.reducer
        place.spot.at("diagnosis").report(f"`{found.id}` ranks no causes: its reducer is `{reducer}`")
    if not phase.remedies:
        place.spot.report("has no `remedies`")


def _check_remedy(spot: TemplatePlace, remedy: Remedy, *, shared: tuple[Check, ...]) -> None:
    spot.at("when").check_expression(remedy.when)
    spot.at("summary").check_value(remedy.summary)
    spot.at("risk").check_value(remedy.risk)
    check_steps(spot, remedy.steps)
    check_all(spot, "verify", remedy.verify)
    refuse_same_checks(spot, remedy.steps, (*remedy.verify, *shared))


def _plan_of(place: PhasePosition, phase: Pipeline) -> PhaseDraft | None:
    """Return the phase that renders a pipeline's plan; none if that is the pipeline itself."""
    if phase.plan is not None:
        found = place.find("plan", phase.plan, ("plan",))
        if found and isinstance(found.phase, Plan) and found.phase.of is not None:
            text = f"`{found.id}` plans the steps of `{found.phase.of}`; name a plan with remedies"
            place.spot.at("plan").report(text)
        return found
    return next((p for p in place.earlier if isinstance(p.phase, Plan) and p.phase.of == phase.id), None)


def _before(spot: TemplatePlace, planned: PhaseDraft | None) -> TemplatePlace:
    """Return the place with only the names that are known when the plan is rendered."""
    ids = list(spot.phases)
    if planned is None or planned.id not in ids:
        return spot
    kept = ids[: ids.index(planned.id)]
    return replace(
        spot,
        phases={name: spot.phases[name] for name in kept},
        later=spot.later | set(ids[len(kept) :]),
    )


def _check_approvals(spot: TemplatePlace, phase: Pipeline, planned: PhaseDraft | None) -> None:
    """Check that an approval precedes the first action, and that a group can give it."""
    ways = [phase.steps]
    if planned is not None and isinstance(planned.phase, Plan):
        ways += [remedy.steps for remedies in planned.phase.remedies.values() for remedy in remedies]
    unasked = next((step for steps in ways if (step := _first_unasked(steps)) is not None), None)
    if phase.approval is None and unasked is not None:
        spot.report(f"needs an `approval`: the action `{unasked.action}` would run without one")
    if "service" in spot.params:
        return
    if phase.approval is not None and not phase.approval.groups:
        spot.at("approval").report(
            "name the `groups` who may approve: the runbook has no parameter `service`"
        )
    for index, step in enumerate(phase.steps):
        if step.approval is not None and not step.approval.groups:
            spot.at("steps", index, "approval").report(
                "name the `groups` who may approve: the runbook has no parameter `service`"
            )


def _check_lease(spot: TemplatePlace, phase: Pipeline) -> None:
    """Check a lease: a run that waits for people has no owner, so its candidate would lose its traffic."""
    if not phase.lease:
        return
    if "service" not in spot.params:
        spot.at("lease").report("a lease needs the parameter `service`, whose candidate it protects")
    for index, step in enumerate(phase.steps):
        if step.approval is not None:
            spot.at("steps", index, "approval").report(
                "a pipeline with a `lease` cannot wait for an approval; let a `judge` ask instead"
            )


def _first_unasked(steps: tuple[Step, ...]) -> Step | None:
    """Return the first action before which no step has an approval."""
    for step in steps:
        if step.approval is not None:
            return None
        if step.is_action:
            return step
    return None
