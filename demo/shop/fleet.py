"""The shop's own processes: which runs at which version, restarts and deploys."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.errors import RefusedError, ShopError
from demo.shop.haproxy import WHOLE, HAProxy, live
from demo.shop.haproxy_config import CANDIDATE, STABLE
from demo.shop.processes import STOP_TIMEOUT_S, ChildProcess, ProcessSpec, until
from demo.shop.services.config import ServiceConfig
from demo.shop.units import FIRST_VERSIONS, OURS, SLOTS, Unit, unit_name

READY_TIMEOUT_S = 15.0

_ROOT = Path(__file__).resolve().parents[2]
_QUICK = ClientTimeout(total=1.5)


class Fleet:
    """Starts, stops, restarts and deploys; HAProxy alone decides which slot is live."""

    def __init__(
        self,
        units: list[Unit],
        *,
        folder: Path,
        session: ClientSession,
        haproxy: HAProxy,
        ledger: ShopChangeLedger,
        fault_token: str,
    ) -> None:
        self._units = {unit.name: unit for unit in units}
        self._folder = folder
        self._session = session
        self._haproxy = haproxy
        self._ledger = ledger
        self._fault_token = fault_token
        self._versions = {unit.name: FIRST_VERSIONS[unit.service] for unit in units}
        self._children = {unit.name: ChildProcess(self._spec(unit)) for unit in units}
        self._halted = {unit.name for unit in units}
        self._moving: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def start(self) -> None:
        """Start every process at its first version; spare slots stay empty."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for unit in self._units.values():
            if unit.at_first:
                await self._children[unit.name].start()
                self._halted.discard(unit.name)

    async def until_healthy(self) -> None:
        """Wait for all of them.

        Raises:
            ShopError: one does not come up.
        """
        await asyncio.gather(*(self._until_healthy(unit) for unit in self._units.values() if unit.at_first))

    async def stop(self) -> None:
        """Stop every process."""
        await asyncio.gather(*(child.stop() for child in self._children.values()))

    @property
    def units(self) -> tuple[Unit, ...]:
        """Every process, running or not."""
        return tuple(self._units.values())

    def pid(self, name: str) -> int | None:
        """Return the process id of one unit."""
        return self._children[name].pid

    def unit_version(self, name: str) -> str:
        """Return the version that a process runs."""
        return self._versions[name]

    def halted(self, name: str) -> bool:
        """Return whether nothing is meant to run in a slot."""
        return name in self._halted

    async def healthy(self, name: str) -> bool:
        """Return whether a process answers that it is healthy."""
        try:
            async with self._session.get(f"{self._units[name].url}/healthz", timeout=_QUICK) as answer:
                return answer.ok
        except (ClientError, TimeoutError):
            return False

    async def launch(self, name: str, version: str) -> None:
        """Start ``version`` in place of what runs in a slot; it may not be well yet, and may never be."""
        async with self._moving[name]:
            self._versions[name] = version
            await self._children[name].replace(self._spec(self._units[name]), timeout_s=STOP_TIMEOUT_S)
            self._halted.discard(name)

    async def roll(self, name: str, version: str) -> None:
        """Start ``version`` beside what runs in a slot and let that go once it answers.

        Raises:
            ShopError: it does not come up; what ran runs on.
        """
        async with self._moving[name]:
            before, self._versions[name] = self._versions[name], version
            try:
                await self._roll(name)
            except BaseException:
                self._versions[name] = before
                raise

    async def halt(self, name: str) -> None:
        """Stop what runs in a slot."""
        async with self._moving[name]:
            self._halted.add(name)
            await self._children[name].stop()

    async def live_slot(self) -> str:
        """Return the slot of checkout that gets the traffic, from HAProxy.

        Raises:
            ShopError: HAProxy does not answer.
        """
        return live(await self._haproxy.servers())

    async def version(self, service: str) -> str:
        """Return the version of a service that buyers get.

        Raises:
            RefusedError: no such service (404).
            ShopError: HAProxy does not answer.
        """
        self._check(service)
        slot = await self.live_slot() if service in SLOTS else ""
        return self._versions[unit_name(service, slot)]

    async def restart(self, service: str, *, author: str, slot: str = "") -> dict[str, Any]:
        """Restart a service at its version: the ``slot``, or the one that is live.

        Raises:
            RefusedError: no such service (404).
            ShopError: it does not come up again.
        """
        self._check(service)
        name = unit_name(service, await self._slot(service, slot, default=""))
        before = self.pid(name)
        await self._restart(name)
        self._ledger.restart(service, author=author)
        return {"service": service, "process": name, "pid_before": before, "pid": self.pid(name)}

    async def deploy(
        self,
        service: str,
        version: str,
        *,
        author: str,
        summary: str = "",
        slot: str = "",
        shift: bool = True,
    ) -> dict[str, Any]:
        """Start ``version`` of a service, in the candidate's slot where there are two.

        With ``shift`` all traffic goes to that slot at once, as releases of this shop do; without, the
        caller shifts the weights.

        Raises:
            RefusedError: no such service or slot (404).
            ShopError: it does not come up.
        """
        self._check(service)
        previous = await self.version(service)
        chosen = await self._slot(service, slot, default=CANDIDATE)
        name = unit_name(service, chosen)
        self._versions[name] = version
        await self._roll(name)
        if chosen and shift:
            other = next(one for one in SLOTS[service] if one != chosen)
            await self._haproxy.end_maintenance(chosen)
            await self._haproxy.hang_on_lease(chosen, hangs=False)
            await self._until_up(chosen)
            await self._haproxy.set_weights({chosen: WHOLE, other: 0})
        self._ledger.deploy(service, version=version, previous=previous, author=author, summary=summary)
        return {"service": service, "process": name, "version": version, "previous_version": previous}

    async def roll_back(self, *, author: str) -> None:
        """Return all traffic to checkout's stable slot; do nothing if it has it."""
        if await self.live_slot() == STABLE:
            return
        await self._haproxy.end_maintenance(STABLE)
        await self._haproxy.set_weights({STABLE: WHOLE, CANDIDATE: 0})
        await self._haproxy.hang_on_lease(CANDIDATE, hangs=True)
        version, previous = (
            self._versions[unit_name("checkout", STABLE)],
            self._versions[unit_name("checkout", CANDIDATE)],
        )
        self._ledger.rollback("checkout", version=version, previous=previous, author=author)

    async def make_sick(self, name: str, path: str, body: dict[str, Any]) -> None:
        """Make a process misbehave, or make it stop.

        Raises:
            ShopError: the process does not listen.
        """
        headers = {"X-Fault-Token": self._fault_token}
        url = f"{self._units[name].url}/fault/{path}"
        try:
            async with self._session.post(url, json=body, headers=headers, timeout=_QUICK) as answer:
                answer.raise_for_status()
        except (ClientError, TimeoutError) as error:
            raise ShopError(f"{name} does not listen: {error!r}") from error

    async def readiness(self, name: str) -> dict[str, Any]:
        """Return one process's ``/readyz``; a process that does not answer is not ready."""
        try:
            async with self._session.get(f"{self._units[name].url}/readyz", timeout=_QUICK) as answer:
                found: dict[str, Any] = await answer.json()
        except (ClientError, TimeoutError, ValueError) as error:
            return {"status": "down", "error": type(error).__name__, "dependencies": {}}
        return found

    async def _restart(self, name: str) -> None:
        unit = self._units[name]
        await self._children[name].replace(self._spec(unit))
        await self._until_healthy(unit)

    async def _roll(self, name: str) -> None:
        """Start the new process beside the old one, on the same port; once it answers, stop the old one."""
        unit, old = self._units[name], self._children[name]
        new = ChildProcess(self._spec(unit))
        await new.start()
        try:
            await self._until_healthy(unit, pid=new.pid)
        except BaseException:
            await new.stop()
            raise
        self._children[name] = new
        self._halted.discard(name)
        await old.stop()

    async def _until_healthy(self, unit: Unit, *, pid: int | None = None) -> None:
        async def healthy() -> bool:
            try:
                async with self._session.get(f"{unit.url}/healthz", timeout=_QUICK) as answer:
                    return answer.ok and (pid is None or (await answer.json())["pid"] == pid)
            except (ClientError, TimeoutError):
                return False

        await until(healthy, what=unit.name, timeout_s=READY_TIMEOUT_S)

    async def _until_up(self, slot: str) -> None:
        async def up() -> bool:
            return (await self._haproxy.servers())[slot].up

        await until(up, what=f"HAProxy's server {slot}", timeout_s=READY_TIMEOUT_S)

    async def _slot(self, service: str, slot: str, *, default: str) -> str:
        slots = SLOTS.get(service, ())
        if slot and slot not in slots:
            raise RefusedError(404, "unknown_slot", f"{service} has no slot {slot}.")
        if not slots:
            return ""
        return slot or default or await self.live_slot()

    def _check(self, service: str) -> None:
        if service not in OURS:
            known = ", ".join(OURS)
            raise RefusedError(
                404, "unknown_service", f"Unknown service: {service}. Known services: {known}."
            )

    def _spec(self, unit: Unit) -> ProcessSpec:
        return ProcessSpec(
            name=unit.name,
            # -P: the working directory may hold another `demo`; ours comes from where this process has it.
            command=[
                sys.executable,
                "-P",
                "-m",
                "demo.shop.services.light" if unit.light else "demo.shop.services",
            ],
            output=self._folder / f"{unit.name}.out",
            environment={
                "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
                **ServiceConfig(
                    name=unit.service,
                    version=self._versions[unit.name],
                    address=unit.address,
                    slot=unit.slot,
                    port=unit.port,
                    log_path=str(unit.log),
                    settings_path=str(unit.settings or ""),
                    urls=unit.urls,
                    dsn=unit.dsn,
                    feature=unit.feature,
                    flags_token=unit.flags_token,
                    fault_token=self._fault_token,
                ).to_environment(),
            },
        )
