"""A release that the bot itself deploys, and that fails only once it has all traffic."""

from __future__ import annotations

from bot.domain.runs.run import Run
from bot.views.ids import PROMOTE
from demo.scenarios.acting import APPROVES, ASKS, approve, new_run, post_to_shop
from demo.scenarios.scenarios import Release
from demo.scenarios.stage import DemoStage
from demo.scenarios.waiting import until

CHANNEL = "checkout-oncall"
QUIET_PER_S = 1.0
_RUN_S, _PLAN_S, _ROLLOUT_S, _FLOW_S = 10.0, 60.0, 120.0, 60.0
_ORDINARY_S = 8.0


async def bring_out(on: DemoStage, release: Release) -> str:
    """Wait for some traffic, then deploy; return the id of the run.

    Where the judge sees too little of the new version to decide and asks, the approver promotes.

    Raises:
        DemonstrationError: the deployment does not come to its end.
    """
    await post_to_shop(on, "PUT", f"/load/{release.service}", {"per_s": release.per_s})
    await _flowed(on, release)
    known = set(await on.journal.recent())
    await on.slack.slash("/deploy", release.typed, user=ASKS, channel=CHANNEL)
    run_id = await until(lambda: new_run(on, known), "the deployment", _RUN_S)
    run = await on.when(run_id, lambda r: r.waiting_for is not None, "the plan of the deployment", _PLAN_S)
    await approve(on, run)
    seen = {gate.id for gate in run.approvals.values()}

    def is_through_or_asked(run: Run) -> bool:
        waits = run.waiting_for
        return run.phases["rollout"].outcome is not None or (waits is not None and waits.id not in seen)

    run = await on.when(run_id, is_through_or_asked, "the rollout", _ROLLOUT_S)
    if run.phases["rollout"].outcome is None:
        card = await on.posted(run_id, "phase:rollout")
        await on.press(card, PROMOTE, user=APPROVES)
        await on.when(run_id, lambda r: r.phases["rollout"].outcome == "ok", "the promotion", _ROLLOUT_S)
    return run_id


async def _flowed(on: DemoStage, release: Release) -> None:
    """Wait for some seconds' worth of traffic, so that there is something to compare with."""

    async def sent() -> int:
        return int((await on.shop.get(f"/load/{release.service}")).json()["sent"])

    enough = await sent() + round(_ORDINARY_S * release.per_s)

    async def flowed() -> bool | None:
        return await sent() >= enough or None

    await until(flowed, f"the traffic of {release.service}", _FLOW_S)


async def quieten(on: DemoStage, release: Release) -> None:
    """Set the traffic back to its former rate."""
    await post_to_shop(on, "PUT", f"/load/{release.service}", {"per_s": QUIET_PER_S})
