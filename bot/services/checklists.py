"""Evaluates checklists of versions: runs the probe of each item and counts ticks and waivers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from bot.domain.deployments.checklist import ChecklistItem, ItemCheck, ItemState, state_of
from bot.domain.errors import TemplateError
from bot.domain.people import Person
from bot.engine.arguments import arguments_for
from bot.engine.plugins import Context
from bot.engine.steps import call_with, shown
from bot.templating.templates import truth

_SHARE_OF_TIME = 0.85
"""The share of a step's time that one item may take, so that a slow one does not cost the others' results."""


async def look_at_checklist(
    ctx: Context, service: str, version: str, *, requester: Person | None
) -> tuple[ItemState, ...]:
    """Return the state of each item of a version; all probes run at once.

    Raises:
        UnknownServiceError: the catalogue has no such service.
        ProbeUnavailableError: the ticks and waivers cannot be read.
    """
    items = ctx.service(service).gates.checklist
    if not items:
        return ()
    marks = await ctx.gatekeeper.marks_of(service, version)
    asked = (_seen(ctx, name, item, service=service, version=version) for name, item in items.items())
    seen = await asyncio.gather(*asked)
    return tuple(
        state_of(name, item, marks=marks, seen=found, requester=requester)
        for (name, item), found in zip(items.items(), seen, strict=True)
    )


async def _seen(
    ctx: Context, name: str, item: ChecklistItem, *, service: str, version: str
) -> ItemCheck | None:
    if not item.probe:
        return None
    plugin = ctx.plugins.get(item.probe)
    asking = replace(ctx, step_id=f"{ctx.step_id}:{name}", timeout_s=ctx.timeout_s * _SHARE_OF_TIME)
    try:
        arguments = arguments_for(plugin, item, service=service, version=version)
        called = await call_with(asking, plugin, arguments)
        if called.outcome != "ok" or called.result is None:
            return ItemCheck(ok=None, text=f"not measured: {called.error}")
        scope = {"result": called.result, "service": service, "version": version}
        return ItemCheck(ok=truth(item.expect, scope), text=shown(called.result))
    except TemplateError as error:
        return ItemCheck(ok=None, text=f"not comparable: {error}")
