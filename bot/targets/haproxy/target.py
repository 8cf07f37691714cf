"""HAProxy as a deployment target: stable slots, a candidate slot, and weights between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.ports.targets import Capabilities, ChangeResult, Role, RollbackCheck, TargetCounts, TargetState
from bot.targets.haproxy import counts as counting
from bot.targets.haproxy.backend import NAME, Backend, HAProxySettings, backend_of
from bot.targets.haproxy.replacing import replace
from bot.targets.haproxy.traffic_split import divide, percent_of, release_lease, set_weights, stands
from bot.targets.haproxy.view import after_promotion, instance_of, no_way, room_of, side_of
from bot.targets.haproxy.weights import WHOLE, share_of
from bot.targets.support.earlier_state import share_before, version_before
from bot.targets.support.kind import TargetKind
from bot.targets.support.launcher import Slot

_NONE = Slot(version="", state="stopped")
_COME_UP = 0.8
"""The share of a step's time in which a candidate must be healthy; the rest is for stopping it."""


@dataclass(frozen=True)
class HAProxyTarget:
    """One service's backend; docs/adr/0011 explains why the slots never change their roles."""

    backend: Backend

    @classmethod
    def of(cls, ctx: Context, service: str, settings: HAProxySettings) -> HAProxyTarget:
        """Return the target of a service's backend; the step's time starts now."""
        return cls(backend_of(ctx, service, settings))

    async def observe(self) -> TargetState:
        """Return what serves now; with a lease, the candidate's health is read from the candidate itself."""
        backend, slots = self.backend, self.backend.slots
        servers, versions = await backend.servers(), await backend.versions()
        found = [instance_of(server, versions, self._role(name)) for name, server in servers.items()]
        kept_warm = (
            servers[slots.candidate].maintained and versions.get(slots.candidate, _NONE).state == "running"
        )
        if kept_warm or (slots.lease and await backend.is_fit()):
            found = [item.but(healthy=True) if item.role == "candidate" else item for item in found]
        candidate = side_of(found, "candidate", servers)
        gone = versions[slots.candidate].state == "stopped" if versions else not servers[slots.candidate].up
        return TargetState(
            target=NAME,
            stable=side_of(found, "stable", servers),
            candidate=None if gone and not candidate.weight_percent else candidate,
            instances=tuple(found),
            can=Capabilities(
                shift=True, routes=bool(slots.map_file), instant_back=True, lease=bool(slots.lease)
            ),
        )

    async def releases(self) -> tuple[str, ...] | None:
        """Return the versions that the launcher can start, if there is one and it lists them."""
        launcher = self.backend.launcher
        return None if launcher is None else await launcher.releases()

    async def counts(self) -> TargetCounts:
        """Return HAProxy's own counters, which begin at 0 when it starts."""
        backend, slots = self.backend, self.backend.slots
        rows, servers = await backend.rows(), await backend.servers()
        at_s = backend.ctx.clock.now().timestamp()
        # A candidate that HAProxy considers down gets no traffic, whatever its weight.
        serving = {name: server.weight for name, server in servers.items() if server.usable}
        return TargetCounts(
            at_s=at_s,
            weight=share_of(serving, [slots.candidate]),
            canary=counting.side_of(rows, [slots.candidate]),
            stable=counting.side_of(rows, slots.stable),
        )

    async def way_back(self, version: str) -> RollbackCheck:
        """Return whether a rollback is possible: socket access, stable servers' health and room."""
        backend, slots, checked = self.backend, self.backend.slots, list[str]()
        level = (await backend.runtime.ask("show cli level")).strip()
        if level != "admin":
            return RollbackCheck(
                verdict="impossible", because="the bot may not write to HAProxy's socket", checked=()
            )
        checked.append("the bot may write to HAProxy's socket")
        servers, rows, versions = await backend.servers(), await backend.rows(), await backend.versions()
        if versions and all(versions[name].version == version for name in slots.stable):
            return after_promotion(version, versions[slots.candidate], checked)
        up = [name for name in slots.stable if servers[name].up]
        if not up:
            return no_way("no stable server is healthy", checked)
        checked.append(f"{', '.join(up)} healthy")
        room, busy = room_of(rows, up), rows["BACKEND"].sessions
        if room is not None and room < busy:
            return no_way(f"{', '.join(up)} can take {room} requests at once, and {busy} are open", checked)
        checked.append("room for all traffic")
        return RollbackCheck(
            verdict="safe", because="the stable version can take all traffic now", checked=(*checked,)
        )

    async def stage(self, version: str) -> ChangeResult:
        """Start ``version`` in the candidate's slot and wait until it is healthy."""
        backend, name = self.backend, self.backend.slots.candidate
        launcher, servers = backend.needs_launcher(), await backend.servers()
        slots = await backend.versions()
        now, before = slots[name], self._before(slots)
        await backend.let_in(name)
        if now.version == version and now.state == "running" and await self._comes_up():
            return ChangeResult(
                summary=f"{version} of {backend.service} was already up", changed=False, before=before
            )
        if servers[name].weight and now.version != version:
            raise ActionFailedError(
                f"{backend.service}'s candidate is {now.version or 'another'} and has traffic.",
                hint="Roll it back or promote it first.",
                code="candidate_busy",
            )
        await backend.quiet(name)
        await launcher.start(name, version)

        async def launched() -> bool:
            slot = await launcher.slot(name)
            return (slot.version, slot.state) == (version, "running")

        try:
            await backend.until(launched, what=f"{version} on {name}", share=_COME_UP)
            await backend.doubt(name)
            await backend.until(self._is_up, what=f"A healthy {version} on {name}", share=_COME_UP)
        except ActionInDoubtError as error:
            if error.code != "not_in_time":
                raise
            await launcher.stop(name)
            raise ActionFailedError(
                f"{str(error).rstrip('.')}; it was stopped again and had no traffic.",
                hint="Check the log of the version that did not come up.",
                code="did_not_come_up",
            ) from error
        return ChangeResult(
            summary=f"{version} of {backend.service} is up on {name}, without traffic",
            before=before,
            after={"candidate": version},
        )

    async def unstage(self, version: str) -> ChangeResult:
        """Stop the candidate if it is ``version``."""
        backend, name = self.backend, self.backend.slots.candidate
        launcher, servers = backend.needs_launcher(), await backend.servers()
        now = await launcher.slot(name)
        if now.state == "stopped" or now.version != version:
            return ChangeResult(
                summary=f"{version} of {backend.service} was no longer the candidate", changed=False
            )
        if servers[name].weight or await backend.routes():
            raise ActionFailedError(
                f"{version} of {backend.service} still has traffic.",
                hint="Roll back first.",
                code="candidate_busy",
            )
        await backend.quiet(name)
        await launcher.stop(name)
        return ChangeResult(
            summary=f"{version} of {backend.service} was stopped on {name}", before={"candidate": version}
        )

    async def shift(self, version: str, *, percent: int, routes: Sequence[str]) -> ChangeResult:
        """Set the candidate's share; refused while the candidate is another version, or not healthy."""
        backend, slots = self.backend, self.backend.slots
        if routes and not slots.map_file:
            raise ActionFailedError(
                f"{backend.service} cannot route by tenant or header.",
                hint="Add `map: <path>` to its `haproxy` in the catalogue.",
                code="target_not_configured",
            )
        if percent or routes:
            await backend.must_run(version)
            healthy = f"A healthy {version}, as seen by HAProxy,"
            await backend.let_in_healthy([slots.candidate], what=healthy)
        return await divide(backend, percent, routes)

    async def promote(self, version: str, *, keep_warm: bool) -> ChangeResult:
        """Update the stable slots to ``version`` while the candidate serves, then move all traffic there."""
        backend, slots = self.backend, self.backend.slots
        found = await backend.versions()
        backend.needs_launcher()
        previous = next((found[name].version for name in slots.stable if found[name].version != version), "")
        if not previous and await stands(backend, 0, ()):
            return ChangeResult(summary=f"{backend.service} was already at {version}", changed=False)
        await backend.must_run(version)
        await release_lease(backend)
        if len(slots.stable) == 1 and previous:
            await divide(backend, WHOLE, ())
        if not previous and percent_of(backend, await backend.servers()):
            await self._await_restarted(version)
        await replace(backend, dict.fromkeys(slots.stable, version))
        await divide(backend, 0, ())
        kept = await self._settle(previous if keep_warm else "")
        return ChangeResult(
            summary=f"{backend.service} is at {version} (was {previous or version}){kept}",
            before={"version": previous},
            after={"version": version},
        )

    async def rollback(self, to_version: str, *, keep_candidate: bool) -> ChangeResult:
        """Move all traffic to the stable slots; a version that is not there is first staged as candidate."""
        backend, slots = self.backend, self.backend.slots
        if to_version and await self._is_elsewhere(to_version):
            return await self._return_to(to_version)
        servers = await backend.servers()
        if not any(servers[name].up for name in slots.stable):
            raise ActionFailedError(
                f"No stable server of {backend.service} is healthy, so the traffic was not moved.",
                hint="Start a healthy stable server first.",
                code="no_healthy_server",
            )
        weights = {name: server.weight for name, server in servers.items()}
        await backend.send([backend.setting(name, "state ready") for name in slots.stable])
        moved = await divide(backend, 0, ())
        stopped = await self._settle("") if backend.launcher and not keep_candidate else ""
        return ChangeResult(
            summary=f"All traffic of {backend.service} is back on {to_version or 'stable'}{stopped}",
            changed=moved.changed or bool(stopped),
            before={**moved.before, "weights": {**weights}},
            after={"percent": 0},
        )

    async def reapply(self, version: str, before: JsonObject) -> ChangeResult:
        """Start the version again with the share that it had, or with all traffic after a promotion."""
        if "versions" in before:
            return await self.replace(_versions(before), fall_back=False)
        if "percent" not in before:
            return await self._return_to(version_before(before))
        if self.backend.launcher:
            await self.stage(version)
        return await self.shift(version, **share_before(before))

    async def set_weights(self, weights: Mapping[str, int]) -> ChangeResult:
        """Set the weights of servers, 0 to 256 each; other servers keep theirs."""
        return await set_weights(self.backend, weights)

    async def replace(self, versions: Mapping[str, str], *, fall_back: bool) -> ChangeResult:
        """Drain servers, replace them, wait until they are healthy and put them back, a batch at a time."""
        before = await replace(self.backend, versions, fall_back=fall_back)
        names = ", ".join(f"{name} {versions[name]}" for name in before)
        outcome = f"now runs {names}" if before else "was already running these versions"
        return ChangeResult(
            summary=f"{self.backend.service} {outcome}",
            changed=bool(before),
            before={"versions": {**before}},
            after={"versions": {**versions}},
        )

    # --- helpers ---

    async def _settle(self, version: str) -> str:
        """Leave ``version`` or nothing in the candidate's slot; a failure here does not undo a promotion."""
        backend, name = self.backend, self.backend.slots.candidate
        launcher = backend.needs_launcher()
        try:
            if (await launcher.slot(name)).state == "stopped" and not version:
                return ""
            await backend.quiet(name)
            await (launcher.start(name, version) if version else launcher.stop(name))
            await backend.doubt(name)
        except (ActionFailedError, ActionInDoubtError) as error:
            return f"; the candidate's slot could not be cleared: {error}"
        return f"; {version} is kept warm" if version else "; the candidate was stopped"

    async def _is_elsewhere(self, version: str) -> bool:
        versions = await self.backend.versions()
        return bool(versions) and any(versions[name].version != version for name in self.backend.slots.stable)

    async def _return_to(self, version: str) -> ChangeResult:
        backend, slots = self.backend, self.backend.slots
        serving = (await backend.servers())[slots.candidate].weight
        found = (await backend.needs_launcher().slot(slots.candidate)).version
        if not serving or found == version:
            await self.stage(version)
            return await self.promote(version, keep_warm=False)
        # A promotion stopped half-way: its candidate serves while the old version is restored beside it.
        before = await replace(backend, dict.fromkeys(slots.stable, version))
        await divide(backend, 0, ())
        stopped = await self._settle("")
        return ChangeResult(
            summary=f"All traffic of {backend.service} is back on {version}{stopped}",
            before={"versions": {**before}},
            after={"version": version},
        )

    async def _comes_up(self) -> bool:
        """Wait for the health of a version that runs already; false if it does not come in time."""
        try:
            await self.backend.until(self._is_up, what="The candidate", share=_COME_UP / 2)
        except ActionInDoubtError:
            return False
        return True

    async def _is_up(self) -> bool:
        return await self.backend.is_fit() if self.backend.slots.lease else await self._has_health()

    async def _await_restarted(self, version: str) -> None:
        """Wait for stable slots that an interrupted attempt has restarted, while the candidate serves."""
        backend, names = self.backend, self.backend.slots.stable
        for name in names:
            await backend.doubt(name)

        async def up() -> bool:
            servers = await backend.servers()
            return any(servers[name].up for name in names)

        await backend.until(up, what=f"A healthy {version} on {', '.join(names)}")

    async def _has_health(self) -> bool:
        return (await self.backend.servers())[self.backend.slots.candidate].usable

    def _before(self, slots: Mapping[str, Slot]) -> dict[str, str | None]:
        candidate = slots[self.backend.slots.candidate]
        stable = slots[self.backend.slots.stable[0]].version
        return {"stable": stable, "candidate": None if candidate.state == "stopped" else candidate.version}

    def _role(self, name: str) -> Role:
        slots = self.backend.slots
        return "stable" if name in slots.stable else "candidate" if name == slots.candidate else "other"


def _versions(before: JsonObject) -> dict[str, str]:
    found = before["versions"]
    return {name: str(version) for name, version in found.items()} if isinstance(found, Mapping) else {}


KIND = TargetKind(name=NAME, settings=HAProxySettings, make=HAProxyTarget.of, precedence=10)
