"""Play a scenario as people on call would: read, type and click in Slack, and measure what happens."""

from __future__ import annotations

from typing import Literal, assert_never

from bot.views.ids import TRIAGE
from demo.scenarios.acting import ASKS, approve, new_run, post_to_shop
from demo.scenarios.recorded import recorded
from demo.scenarios.releasing import bring_out, quieten
from demo.scenarios.report import Report, report_of
from demo.scenarios.scenarios import IncidentScenario
from demo.scenarios.stage import DemoStage
from demo.scenarios.waiting import until
from localslack.outcomes import VisibleMessage

CHANNELS = ("checkout-oncall", "payments-oncall", "storefront-oncall")
_ALERT_S, _RUN_S, _CAUSE_S, _FIX_S = 60.0, 40.0, 60.0, 200.0

Start = Literal["button", "command", "mention"]


async def warm_up(on: DemoStage, *, seconds: float = 20) -> None:
    """Let the shop serve traffic for a while, so that there is a baseline to compare with."""

    async def traded() -> bool | None:
        load = (await on.shop.get("/load")).json()
        return True if load["ok"] >= seconds * load["rate_per_s"] else None

    await until(traded, "the shop to trade", seconds + 60)


async def play(on: DemoStage, scenario: IncidentScenario, *, start: Start = "button") -> Report:
    """Switch the fault on, act on its alert as two people would, and return what happened.

    Raises:
        DemonstrationError: an expected step did not happen.
    """
    before = await on.slack.stats()
    seen = {m.ts for channel in _channels(scenario) for m in await on.slack.messages(channel, user=ASKS)}
    try:
        deployed = await _begin(on, scenario)
        known = set(await on.journal.recent())
        alert = await until(lambda: _alert(on, scenario, seen), "the alert in Slack", _ALERT_S)
        asked_at = await _ask(on, scenario, alert, start)
        run_id = await until(lambda: new_run(on, known), "the run", _RUN_S)
        await on.posted(run_id, "phase:diagnosis")
        run = await on.when(
            run_id, lambda r: bool(r.approvals) or r.state == "finished", "the proposal", _CAUSE_S
        )
        refused = await approve(on, run) if run.waiting_for else None
        run = await on.when(run_id, lambda r: r.state == "finished", "the end of the run", _FIX_S)
        await on.posted(run_id, "final")
        return await report_of(
            on,
            scenario,
            run,
            alert_ts=float(alert.ts),
            asked_at=asked_at,
            before=before,
            self_approval_refused=refused,
            record=await recorded(on, run, deployed=deployed) if scenario.rolled_back else None,
        )
    finally:
        await post_to_shop(on, "POST", "/faults/reset")
        if scenario.release is not None:
            await quieten(on, scenario.release)


async def _begin(on: DemoStage, scenario: IncidentScenario) -> str:
    """Make something go wrong; return the id of the run that deployed it, if the bot did."""
    if scenario.release is not None:
        return await bring_out(on, scenario.release)
    await post_to_shop(on, "POST", f"/faults/{scenario.fault}")
    return ""


async def settle(on: DemoStage) -> None:
    """Wait until the shop is healthy and every alert in Slack is resolved, as before the first scenario."""

    async def calm() -> bool | None:
        status = (await on.shop.get("/status")).json()
        if status["alerts"] or status["load"]["recent"]["failed"]:
            return None
        messages = [m for channel in CHANNELS for m in await on.slack.messages(channel, user=ASKS)]
        return None if any(TRIAGE in _actions(message) for message in messages) else True

    await until(calm, "the shop to be well again", 90)


async def _alert(on: DemoStage, scenario: IncidentScenario, seen: set[str]) -> VisibleMessage | None:
    """Return the newest alert that offers *Triage*: the service's own channel first."""
    for channel in _channels(scenario):
        for message in reversed(await on.slack.messages(channel, user=ASKS)):
            if TRIAGE in _actions(message) and message.ts not in seen:
                return message
    return None


def _actions(message: VisibleMessage) -> set[str]:
    blocks = message.json.get("blocks") or ()
    return {element.get("action_id", "") for block in blocks for element in block.get("elements", ())}


def _channels(scenario: IncidentScenario) -> tuple[str, ...]:
    """Return the channels where the service's owners look, in that order."""
    own = scenario.channel or f"{scenario.service}-oncall"
    return (own, *(channel for channel in CHANNELS if channel != own))


async def _ask(on: DemoStage, scenario: IncidentScenario, alert: VisibleMessage, start: Start) -> float:
    """Ask for the triage; return the time of it, in seconds since the epoch."""
    at = on.clock.now().timestamp()
    match start:
        case "button":
            await on.press(alert, TRIAGE, user=ASKS)
        case "command":
            await on.slack.slash("/triage", scenario.service, user=ASKS, channel=alert.channel)
        case "mention":
            text = f"triage {scenario.service}"
            await on.slack.mention(text, user=ASKS, channel=alert.channel, thread_ts=alert.ts)
        case _:
            assert_never(start)
    return at
