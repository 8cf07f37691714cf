"""What every part of the HTTP surface stands on: its parts, and how it reads and refuses."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.observability.health import Health
from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.engine.stores import Stores


@dataclass(frozen=True, kw_only=True)
class WebParts:
    """What the HTTP surface stands on."""

    stores: Stores
    clock: Clock
    webhook_token: SecretStr | None
    catalogue: Catalogue = field(default_factory=Catalogue)
    heartbeat_token: SecretStr | None = None
    lease_token: SecretStr | None = None
    flags_token: SecretStr | None = None
    http: httpx.AsyncClient | None = None
    """For asking candidates how they are."""
    operating: Health


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
