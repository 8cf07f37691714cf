"""Delivers payloads to apps: timed, counted, and hindered by the fault switches."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from localslack.clock import WorkspaceClock
from localslack.envelopes import FAILED, TIMEOUT, Ack, Envelope, EnvelopeKind, Transport
from localslack.faults import FaultSwitches
from localslack.httpmode import HttpMode
from localslack.journal import ActivityLog
from localslack.manifest import Manifest
from localslack.shapes import Json
from localslack.socketmode import Sockets
from localslack.stats import Stats
from localslack.workspace import AppSpec


@dataclass(slots=True)
class App:
    """An installed app at run time."""

    spec: AppSpec
    manifest: Manifest
    sockets: Sockets

    @property
    def is_http(self) -> bool:
        """Whether payloads are posted to URLs rather than sent over a socket."""
        if self.spec.events_url:
            return True
        return self.manifest.socket_mode is False and bool(
            self.manifest.events_url or self.manifest.interactivity_url
        )

    def url(self, kind: EnvelopeKind, *, command: str = "") -> str:
        """Return where payloads of that kind go in HTTP mode; empty when the app has no URL for them."""
        found = self.manifest.command(command) if kind == "slash_commands" else None
        named = {
            "slash_commands": found.url if found else "",
            "interactive": self.manifest.interactivity_url,
            "events_api": self.manifest.events_url,
        }[kind]
        return self.spec.events_url or named


@dataclass(slots=True)
class BackgroundTasks:
    """Tasks that outlive the request that began them, and end with the server."""

    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run ``work`` beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        """Cancel what still runs and wait for it."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


class EnvelopeDelivery:
    """Sends envelopes to apps and reports the outcome."""

    def __init__(
        self,
        *,
        clock: WorkspaceClock,
        faults: FaultSwitches,
        stats: Stats,
        journal: ActivityLog,
        background: BackgroundTasks,
        ack_timeout_s: float,
        event_retry_delays_s: tuple[float, ...],
    ) -> None:
        self._clock = clock
        self._faults = faults
        self._stats = stats
        self._journal = journal
        self._background = background
        self.ack_timeout_s = ack_timeout_s
        self._event_retry_delays_s = event_retry_delays_s
        self._session: aiohttp.ClientSession | None = None

    async def send(self, app: App, kind: EnvelopeKind, payload: Json) -> Ack:
        """Send a command or an interaction once, without a retry."""
        url = app.url(kind, command=str(payload.get("command", "")))
        envelope = Envelope(kind=kind, payload=payload, url=url)
        if self._faults.double_delivery:
            self._background.start(self._once(app, envelope))
        return await self._once(app, envelope)

    def send_event(self, app: App, payload: Json) -> None:
        """Send an event in the background; up to three times more when it is not acknowledged."""
        self._background.start(self._event(app, payload))

    async def verify(self, app: App) -> bool:
        """Return whether the app's events URL answers the challenge; True for an app that has none."""
        url = app.url("events_api")
        if not app.is_http or not url:
            return True
        verified = await self._http(app).verify(url, timeout_s=self.ack_timeout_s)
        self._journal.write(
            kind="envelope", name="url_verification", error=None if verified else "challenge_failed"
        )
        return verified

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _event(self, app: App, payload: Json) -> None:
        url = app.url("events_api")
        ack = await self._once(app, Envelope(kind="events_api", payload=payload, url=url))
        if ack.ok and self._faults.redeliver_events:
            again = Envelope(
                kind="events_api", payload=payload, url=url, retry_num=1, retry_reason="http_timeout"
            )
            await self._once(app, again)
        for number, delay_s in enumerate(self._event_retry_delays_s, start=1):
            if ack.ok:
                return
            reason = "http_timeout" if ack.error == TIMEOUT else "http_error"
            await asyncio.sleep(delay_s)
            self._stats.retried += 1
            retry = Envelope(
                kind="events_api", payload=payload, url=url, retry_num=number, retry_reason=reason
            )
            ack = await self._once(app, retry)

    async def _once(self, app: App, envelope: Envelope) -> Ack:
        await asyncio.sleep(self._faults.delay_delivery_s)
        started = self._clock.monotonic()
        ack = await self._attempt(app, envelope)
        latency_ms = (self._clock.monotonic() - started) * 1000
        if ack.ok:
            ack = Ack(body=ack.body, latency_ms=latency_ms)
        self._note(app, envelope, ack, latency_ms)
        return ack

    async def _attempt(self, app: App, envelope: Envelope) -> Ack:
        transport: Transport = self._http(app) if app.is_http else app.sockets
        if app.is_http and not envelope.url:
            return Ack(error=FAILED)
        ack = await transport.deliver(envelope, timeout_s=self.ack_timeout_s)
        if not ack.ok:
            return ack
        if self._faults.loses_ack():
            return Ack(error=TIMEOUT)
        if self._faults.delay_acks_s:
            await asyncio.sleep(min(self._faults.delay_acks_s, self.ack_timeout_s))
            if self._faults.delay_acks_s >= self.ack_timeout_s:
                return Ack(error=TIMEOUT)
        return ack

    def _note(self, app: App, envelope: Envelope, ack: Ack, latency_ms: float) -> None:
        if ack.ok:
            self._stats.delivered += 1
            self._stats.acked(envelope.kind, latency_ms)
        else:
            self._stats.unacked += 1
            self._stats.failures.append({"what": envelope.name, "kind": envelope.kind, "error": ack.error})
        self._journal.write(
            kind="envelope",
            name=envelope.name,
            ms=latency_ms,
            error=ack.error,
            app=app.spec.id,
            envelope=envelope.kind,
            retry=envelope.retry_num,
            payload=envelope.payload,
            answer=ack.body,
        )

    def _http(self, app: App) -> HttpMode:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return HttpMode(self._session, secret=app.spec.signing_secret, clock=self._clock)
