"""A gate whose probe crashes, hangs or answers nonsense is closed, and says why."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest

from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import NotFoundError
from bot.engine.plugins import Context, Plugins, plugins_in, probe
from bot.services.gate_state import StateGatekeeper
from tests.plugins.probes.gate_worlds import (
    State,
    all_plugins,
)


class Broken(StateGatekeeper):
    """What the gates read, and something is wrong with it."""

    def __init__(self) -> None:
        pass

    async def lock_of(self, service):
        return None

    async def marks_of(self, service, version):
        return ()


class Crashing(Broken):
    """A fault of ours."""

    async def troubles(self, services):
        raise ZeroDivisionError


class Hanging(Broken):
    """A source that takes the question, and never answers."""

    async def troubles(self, services):
        await asyncio.Event().wait()


class Mumbling(Broken):
    """A source whose answer is not what it should be."""

    async def troubles(self, services):
        return ("trouble",)


class Unreadable(Broken):
    """A failure that we expect, but not of a source."""

    async def troubles(self, services):
        raise NotFoundError("The runbook abc is gone from the store.", hint="Look at the store.")


@pytest.mark.parametrize(
    ("keeper", "why", "way_out"),
    [
        (
            Crashing,
            "The gate could not be checked: gates.incident crashed: ZeroDivisionError.",
            "plugin_crashed",
        ),
        (Hanging, "The gate could not be checked: no answer within 170 ms.", "slow source"),
        (
            Mumbling,
            "The gate could not be checked: gates.incident crashed: AttributeError.",
            "plugin_crashed",
        ),
        (
            Unreadable,
            "The gate could not be checked: The runbook abc is gone from the store.",
            "Look at the store.",
        ),
    ],
)
async def test_a_gate_that_breaks_is_closed_and_says_why_and_an_emergency_may_open_it(
    context, keeper, why, way_out
):
    state = State(context)
    state.ctx = replace(state.ctx, gatekeeper=keeper(), timeout_s=0.2 if keeper is Hanging else 30)
    code, told, hint = await state.closed()
    assert (code, told, way_out in hint) == ("incident_unknown", why, True)
    facts = await state.all(emergency="payments are lost")
    assert facts.data["waived"] == ["incident"]
    verdicts = {gate["gate"]: gate["verdict"] for gate in facts.data["gates"]}
    assert (verdicts.pop("incident"), set(verdicts.values())) == ("unknown", {"proceed"})


@probe(specialist="gates")
async def lock(ctx: Context, *, service: str, version: str = "") -> Facts:
    """Stands in the place of the gate of that name, and answers nonsense."""
    return Facts(summary="", data={"gate": "lock", "verdict": "perhaps"})


async def test_an_answer_that_is_no_ruling_is_no_way_through_and_no_emergency_opens_a_lock(context):
    state = State(context)
    (nonsense,) = plugins_in(sys.modules[__name__])
    plugins = {**all_plugins().by_name, "gates.lock": nonsense}
    state.ctx = replace(state.ctx, plugins=Plugins(plugins))
    code, why, _ = await state.closed(emergency="payments are lost")
    assert (code, why) == ("lock_unknown", "The gate's answer could not be read.")
