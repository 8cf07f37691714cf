"""Checks whether the gates of a service allow a deployment now; checking changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import get_args

from bot.domain.deployments.checklist import ItemState
from bot.domain.deployments.checklist_rule import of_no_version, rule_checklist
from bot.domain.deployments.deploy_lock import rule_lock
from bot.domain.deployments.freeze import rule_freeze
from bot.domain.deployments.gate import (
    GateName,
    GateResult,
    first_closed,
    not_asked,
    proceed,
    reject,
    unknown,
)
from bot.domain.deployments.open_incident import rule_incident
from bot.domain.deployments.staging import rule_staging
from bot.domain.deployments.strategies import usual_strategy
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import GateClosedError, ProbeUnavailableError
from bot.domain.formatting import percent
from bot.domain.monitoring.slo import Slo
from bot.engine.plugins import Context, probe
from bot.probes.prometheus.api import slo_ratio
from bot.services.checklists import look_at_checklist
from bot.services.gates import ask_gate

_GATES: tuple[GateName, ...] = get_args(GateName)
_SHARE_OF_TIME = 0.85
"""The share of the step's time that a gate may take, so that one slow gate does not hide the others."""
_DAY_S = 86_400
_LEDGER_S = 3650 * _DAY_S
"""Longer than any ledger is stored."""


@probe(specialist="gates")
async def freeze(ctx: Context, *, service: str, version: str = "") -> Facts:
    """Whether a freeze window of the catalogue applies to a service now, why, and until when.

    ``data`` is the gate's result: ``gate``, ``verdict`` (``proceed``, ``reject`` or ``unknown``), ``code``,
    ``why``, ``way_out``, ``until``, ``waivable`` and ``waived_by``.  Windows do not depend on ``version``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return _facts(await _freeze(ctx, service), version=version)


@probe(specialist="gates")
async def lock(ctx: Context, *, service: str, version: str = "") -> Facts:
    """Whether a person has locked a service, who, why, and until when; ``data`` is as for ``gates.freeze``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return _facts(await _lock(ctx, service), version=version)


@probe(specialist="gates")
async def incident(ctx: Context, *, service: str, version: str = "") -> Facts:
    """Whether an incident is open for a service or for anything it depends on, directly or indirectly.

    An open incident is a firing alert of severity ``critical`` or ``page``, silenced or not, or a triage that
    is running.
    ``data`` is as for ``gates.freeze``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return _facts(await _incident(ctx, service), version=version)


@probe(specialist="gates")
async def error_budget(ctx: Context, *, service: str, version: str = "") -> Facts:
    """Whether a service has any error budget left, over the whole window of each of its ``slos:``.

    A budget that cannot be measured is ``unknown``, and the gate is then closed.  ``data`` is as for
    ``gates.freeze``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return _facts(await _error_budget(ctx, service), version=version)


@probe(specialist="gates")
async def staging(ctx: Context, *, service: str, version: str) -> Facts:
    """Whether exactly this version has served long enough in the environment that the catalogue names.

    Decided from the bot's own change ledger: the gate is closed for a version that was rolled back there, or
    that served for less than ``soak``.  ``data`` is as for ``gates.freeze``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return _facts(await _staging(ctx, service, version), version=version)


@probe(specialist="gates")
async def checklist(ctx: Context, *, service: str, version: str) -> Facts:
    """Whether each item of a version's checklist is done: confirmed by a probe, or ticked by a person.

    An item that an approver has waived is open for other people's deployments, and is reported as waived.
    ``data`` is as for ``gates.freeze``, and ``items`` has each item with its ``status``, ``text`` and ``by``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    ruling, states = await _items(ctx, service, version)
    items = [state.model_dump(mode="json") for state in states]
    return Facts(summary=ruling.why, data={**ruling.as_data(), "version": version, "items": items})


@probe(specialist="gates")
async def all(  # noqa: A001  # runbooks call it gates.all
    ctx: Context, *, service: str, version: str, strategy: str = "", emergency: str = ""
) -> Facts:
    """Check every gate of a service; a closed gate that is not waived is an error with its code.

    All gates are checked at once.  A gate that crashes or does not answer in time is closed, with that as its
    reason.  ``emergency`` is a reason, empty for none: it opens the gates that the service marks as waivable,
    and each is reported as waived.  ``data`` holds ``gates``, the results in a fixed order, and ``waived``,
    the names of the gates that are open only because of the emergency.

    Raises:
        GateClosedError: a deployment may not start now; the code is that of the first closed gate.
        UnknownServiceError: the catalogue has no such service.
    """
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    asked = (ask_gate(ctx, gate, service=service, version=version, timeout_s=limit_s) for gate in _GATES)
    rulings = [ruling.waived_for(emergency) for ruling in await asyncio.gather(*asked)]
    closed = first_closed(rulings)
    if closed is not None:
        raise GateClosedError(closed.why, hint=f"{closed.way_out} {closed.link}".rstrip(), code=closed.code)
    waived = [ruling for ruling in rulings if ruling.waived_by]
    warnings = " ".join(f"WAIVED ({ruling.waived_by}): {ruling.why}" for ruling in waived)
    return Facts(
        summary=warnings or f"All {len(rulings)} gates of {service} are open.",
        data={
            "gates": [ruling.as_data() for ruling in rulings],
            "waived": [ruling.gate for ruling in waived],
            "version": version,
            "strategy": strategy,
        },
    )


async def _freeze(ctx: Context, service: str) -> GateResult:
    return rule_freeze(ctx.catalogue.freezes_of(service), at=ctx.clock.now()).under(
        ctx.service(service).gates
    )


async def _lock(ctx: Context, service: str) -> GateResult:
    async def asked() -> GateResult:
        return rule_lock(await ctx.gatekeeper.lock_of(service), at=ctx.clock.now())

    return await _known(ctx, service, "lock", asked())


async def _incident(ctx: Context, service: str) -> GateResult:
    if not ctx.service(service).gates.incident:
        return not_asked("incident", f"The incident gate is off for {service} in the catalogue.")

    async def asked() -> GateResult:
        around = {below.name for below in ctx.catalogue.downstream(service)}
        return rule_incident(service, await ctx.gatekeeper.troubles(around))

    return await _known(ctx, service, "incident", asked())


async def _error_budget(ctx: Context, service: str) -> GateResult:
    entry = ctx.service(service)
    if not entry.gates.error_budget or not entry.slos:
        return not_asked("error_budget", f"The catalogue sets no error-budget gate for {service}.")
    return await _known(ctx, service, "error_budget", _budgets(ctx, service, entry.slos))


async def _staging(ctx: Context, service: str, version: str) -> GateResult:
    gates = ctx.service(service).gates
    if gates.staging_first is None:
        return not_asked(
            "staging", f"The catalogue does not require {service} to run in another environment first."
        )
    there = f"{service}@{gates.staging_first}"
    changes = await ctx.ledger.since(service=there, seconds=_LEDGER_S)
    strategy = usual_strategy(ctx.service(there).target)
    ruling = rule_staging(there, version, changes, at=ctx.clock.now(), soak_s=gates.soak, strategy=strategy)
    return ruling.under(gates)


async def _items(ctx: Context, service: str, version: str) -> tuple[GateResult, tuple[ItemState, ...]]:
    """Return the result and every item; the requester of the run cannot waive items for themselves."""
    states: tuple[ItemState, ...] = ()

    async def asked() -> GateResult:
        nonlocal states
        if ctx.service(service).gates.checklist:
            if not version:
                return of_no_version(service)
            requester = ctx.asker or await ctx.gatekeeper.requester_of(ctx.run_id)
            states = await look_at_checklist(ctx, service, version, requester=requester)
        return rule_checklist(service, version, states)

    return await _known(ctx, service, "checklist", asked()), states


async def _budgets(ctx: Context, service: str, slos: tuple[Slo, ...]) -> GateResult:
    source = ctx.source(service, "prometheus")
    for slo in slos:
        burn = slo.burn(await slo_ratio(ctx, source, slo, window_s=slo.window_days * _DAY_S))
        if round(burn, 6) >= 1:  # 1 - 0.99 is a little more than 0.01
            return reject(
                "error_budget",
                code="budget_spent",
                why=f"{percent(burn)} of the error budget of {slo.name} for {slo.window_days:g} days"
                " is spent.",
                way_out="Wait until old failures leave the window, or deploy a fix as an emergency.",
            )
    return proceed("error_budget", f"{service} has error budget left.")


async def _known(ctx: Context, service: str, gate: GateName, asked: Awaitable[GateResult]) -> GateResult:
    """Return the gate's result; a source that cannot be read makes it ``unknown``."""
    try:
        ruling = await asked
    except ProbeUnavailableError as error:
        ruling = unknown(gate, why=str(error), way_out=error.hint)
    return ruling.under(ctx.service(service).gates)


def _facts(ruling: GateResult, *, version: str) -> Facts:
    return Facts(summary=ruling.why, data={**ruling.as_data(), "version": version})
