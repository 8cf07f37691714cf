"""The checklist as a gate: closed by its first item that is neither done nor waived."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.deployments.checklist import ItemState
from bot.domain.deployments.gate import GateResult, not_asked, proceed, reject, unknown


def of_no_version(service: str) -> GateResult:
    """Return that a checklist cannot be checked without a version."""
    return unknown(
        "checklist",
        why="The checklist applies to one version.",
        way_out=f"Name it: `/deploy why {service} <version>`.",
    )


def rule_checklist(service: str, version: str, states: Sequence[ItemState]) -> GateResult:
    """Return whether the items of a version allow its deployment; a waived item is always shown.

    The code is that of the first item, such as ``checklist_coverage``.
    """
    if not states:
        return not_asked("checklist", f"The catalogue has no checklist for {service}.")
    holding = [state for state in states if state.holds_up]
    if holding:
        return _closed(service, version, holding, of=len(states))
    waived = [state for state in states if state.status == "waived"]
    if not waived:
        return proceed("checklist", f"All {len(states)} items of {version} are done.")
    ruling = _closed(service, version, waived, of=len(states))
    return ruling.but(waived_by="; ".join(_waiver(state) for state in waived))


def _closed(service: str, version: str, states: Sequence[ItemState], *, of: int) -> GateResult:
    first = states[0]
    named = ", ".join(state.item for state in states)
    ruling = reject(
        "checklist",
        code=f"checklist_{first.item}",
        why=f"Not done for {version}: {named} ({len(states)} of {of}). {_status(first)}",
        way_out=_way_out(service, version, first),
    )
    return ruling.but(verdict="unknown") if first.status == "unknown" else ruling


def _status(state: ItemState) -> str:
    text = f": {state.text.rstrip('.')}" if state.text else ""
    return f"{state.title} is {state.status}{text}."


def _way_out(service: str, version: str, state: ItemState) -> str:
    command = f"`/deploy waive {service} {version} {state.item} <reason>`"
    waive = f"ask an approver other than the deployer to run {command}."
    if state.status == "open":
        return f"If it is done, run `/deploy tick {service} {version} {state.item}`, or {waive}"
    return f"Fix it, or {waive}"


def _waiver(state: ItemState) -> str:
    who = (state.by.name or state.by.id) if state.by is not None else "an approver"
    return f"{state.item} by {who}, for others' deployments: {state.text}"
