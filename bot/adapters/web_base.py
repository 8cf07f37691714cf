"""What every part of the HTTP surface stands on: its parts, its counts, and how it reads and refuses."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.engine.heartbeats import Heartbeats
from bot.engine.ports import Inbox, Work


class Metrics:
    """What this process counts, in a registry of its own."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self.webhooks = Counter(
            "pilothouse_webhooks",
            "Webhook deliveries by how they were answered.",
            ["status"],
            registry=self.registry,
        )
        self.alerts = Counter(
            "pilothouse_alerts", "Alerts written down, redeliveries not counted.", registry=self.registry
        )
        self.heartbeats = Counter(
            "pilothouse_heartbeats",
            "Heartbeats by how they were answered.",
            ["status"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "pilothouse_work_waiting", "Runs and intents that wait or are worked on.", registry=self.registry
        )


@dataclass(frozen=True, kw_only=True)
class WebParts:
    """What the HTTP surface stands on."""

    inbox: Inbox
    work: Work
    clock: Clock
    webhook_token: SecretStr | None
    catalogue: Catalogue = field(default_factory=Catalogue)
    heartbeats: Heartbeats | None = None
    heartbeat_token: SecretStr | None = None
    ping: Callable[[], Awaitable[object]]
    """Fails when the store is out of reach."""


async def body_of(request: Request, *, most_bytes: int) -> bytes | None:
    """Read the body up to the limit; none if it is longer."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > most_bytes:
            return None
    return bytes(chunks)


def token_fits(request: Request, token: SecretStr) -> bool:
    """Compare the request's bearer token, in a time that tells nothing about it."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    return hmac.compare_digest(given, token.get_secret_value().encode())


def refused(status: int, reason: str, text: str) -> Response:
    """Answer with a code for machines and a way out for people."""
    return JSONResponse({"error": reason, "hint": text}, status_code=status)
