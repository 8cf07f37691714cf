"""What is sent to an app, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from localslack.shapes import Json

EnvelopeKind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One payload on its way to an app. ``url`` is where it goes in HTTP mode."""

    kind: EnvelopeKind
    payload: Json
    url: str = ""
    retry_num: int = 0
    retry_reason: str = ""

    @property
    def name(self) -> str:
        """The kind, for logs: a command, an interaction type or an event type."""
        match self.kind:
            case "slash_commands":
                return str(self.payload.get("command"))
            case "interactive":
                return str(self.payload.get("type"))
            case "events_api":
                return str((self.payload.get("event") or {}).get("type"))


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer within the time. ``error`` is what a person is shown when there was no usable one."""

    error: str | None = None
    body: Json | None = None
    latency_ms: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the app acknowledged."""
        return self.error is None


TIMEOUT = "operation_timeout"
FAILED = "dispatch_failed"


class Transport(Protocol):
    """A way to an app."""

    async def deliver(self, envelope: Envelope, *, timeout_s: float) -> Ack:
        """Send it and return the acknowledgement, after ``timeout_s`` seconds at most."""
        ...
