"""The rules of steps and checks: unique ids, an undo or a reason, no field without effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bot.domain.runs.effect import ActionResult
from bot.domain.runs.runbook import Check, Explore, FanOut, Step
from bot.loader.call_rules import check_call, check_expectation
from bot.loader.template_refs import TemplatePlace
from bot.loader.yaml_positions import Where

AS_WRITTEN: Final = "it is shown as it is written"


def check_steps(spot: TemplatePlace, steps: tuple[Step, ...]) -> None:
    """Check steps that change things, in order."""
    refuse_twice(spot, "steps", _ids(spot.where, steps))
    for index, step in enumerate(steps):
        here = spot.at("steps", index)
        if step.for_each is not None:
            here.at("for_each").check_expression(step.for_each)
        inside = here.knowing("item") if step.for_each is not None else here
        inside.at("title").check_value(step.title)
        check_call(inside, step)
        _check_undo(here, step)
        check_all(inside, "verify", step.verify)
        _check_judge(inside, step)


def _check_judge(spot: TemplatePlace, step: Step) -> None:
    """Check what a judge reads; a judged action needs an undo."""
    if step.judge is None:
        return
    if step.is_action and step.undo is None:
        spot.at("judge").report("the judge can stop this step, so it needs an `undo`")
    for field in ("for_s", "at_least_s"):
        value = getattr(step.judge, field)
        if isinstance(value, str):
            spot.at("judge", field).check_expression(value)
    seen: set[str] = set()
    for index, metric in enumerate(step.judge.metrics):
        here = spot.at("judge", "metrics", index)
        if metric.is_action:
            here.at("action").report("a judge only reads: name a `probe`")
            continue
        if metric.rule.name in seen:
            here.at("rule", "name").report(f"another metric of this judge is called `{metric.rule.name}`")
        seen.add(metric.rule.name)
        check_call(here, metric)


def _check_undo(spot: TemplatePlace, step: Step) -> None:
    if step.undo is not None and step.no_undo:
        spot.at("no_undo").report("`undo` is set, too; leave one of them out")
    if step.is_action and step.undo is None and not step.no_undo.strip():
        spot.report(
            f"the action `{step.action}` needs an `undo`, or a `no_undo` with the reason why it has none"
        )
    if not step.is_action and (step.undo is not None or step.no_undo):
        spot.at("undo" if step.undo else "no_undo").report(
            "a probe changes nothing, so there is nothing to undo"
        )
    spot.at("no_undo").refuse_templates(step.no_undo, why=AS_WRITTEN)
    if step.undo is None:
        return
    if not step.undo.is_action:
        spot.at("undo", "probe").report("an undo changes something back: name an `action`")
        return
    check_call(spot.at("undo").knowing("result", result=ActionResult), step.undo)


def check_all(
    spot: TemplatePlace, field: str, checks: tuple[Check, ...], *, titles_filled: bool = True
) -> None:
    """Check the checks of one field; ``titles_filled``: whether their titles may hold templates."""
    refuse_twice(spot, field, ((c.id, (*spot.where, field, i, "id")) for i, c in enumerate(checks)))
    for index, check in enumerate(checks):
        here = spot.at(field, index)
        if titles_filled:
            here.at("title").check_value(check.title)
        else:
            here.at("title").refuse_templates(check.title, why=AS_WRITTEN)
        check_expectation(here, check)


def refuse_same_checks(spot: TemplatePlace, steps: tuple[Step, ...], checks: tuple[Check, ...]) -> None:
    """Report one id for two checks of the same plan: the second would count as done."""
    seen = {check.id for check in checks}
    for index, step in enumerate(steps):
        for number, check in enumerate(step.verify):
            if check.id in seen:
                spot.at("steps", index, "verify", number, "id").report(
                    f"another check of the same plan is called `{check.id}`"
                )
            seen.add(check.id)


def _ids(where: Where, steps: Iterable[Step]) -> Iterable[tuple[str, Where]]:
    return ((step.id, (*where, "steps", index, "id")) for index, step in enumerate(steps))


def refuse_twice(spot: TemplatePlace, what: str, ids: Iterable[tuple[str, Where]]) -> None:
    """Report an id that appears twice; each comes with its place."""
    seen: set[str] = set()
    for name, where in ids:
        if name in seen:
            replace(spot, where=where).report(f"`{name}` appears twice in `{what}`")
        seen.add(name)


def check_gathering(spot: TemplatePlace, phase: Explore | FanOut) -> None:
    """Check steps that run at once: they only read, because they have no approval and no undo."""
    refuse_twice(spot, "steps", _ids(spot.where, phase.steps))
    for index, step in enumerate(phase.steps):
        here = spot.at("steps", index)
        here.at("title").refuse_templates(step.title, why=AS_WRITTEN)
        if step.for_each is not None:
            if isinstance(phase, Explore):
                here.at("for_each").report("only a `fan_out` phase has `for_each`")
            here.at("for_each").check_expression(step.for_each)
        if step.is_action:
            why = "only reads" if isinstance(phase, Explore) else "asks for no approval and undoes nothing"
            here.at("action").report(f"`{phase.kind}` {why}: put `{step.action}` into a `pipeline`")
        else:
            _refuse_pipeline_fields(here, step)
        check_call(here.knowing("item") if step.for_each is not None else here, step)


def _refuse_pipeline_fields(spot: TemplatePlace, step: Step) -> None:
    """Report fields that have no effect on a step that only reads, outside a pipeline."""
    fields = {
        "undo": step.undo,
        "no_undo": step.no_undo,
        "verify": step.verify,
        "approval": step.approval,
        "judge": step.judge,
    }
    for field, given in fields.items():
        if given:
            spot.at(field).report(f"only a step of a `pipeline` or a remedy has `{field}`")
