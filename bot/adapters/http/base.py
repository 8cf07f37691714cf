"""What every address of the HTTP surface shares: its parts, and how it reads and refuses requests."""

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
    """What the HTTP surface depends on."""

    stores: Stores
    clock: Clock
    webhook_token: SecretStr | None
    catalogue: Catalogue = field(default_factory=Catalogue)
    heartbeat_token: SecretStr | None = None
    lease_token: SecretStr | None = None
    flags_token: SecretStr | None = None
    http: httpx.AsyncClient | None = None
    """For asking candidates for their health."""
    operating: Health


async def body_of(request: Request, *, most_bytes: int) -> bytes | None:
    """Return the body; none if it is longer than the limit."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > most_bytes:
            return None
    return bytes(chunks)


def token_fits(request: Request, token: SecretStr) -> bool:
    """Return whether the request's bearer token is right; the time taken reveals nothing about it."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    return hmac.compare_digest(given, token.get_secret_value().encode())


def refused(status: int, reason: str, text: str) -> Response:
    """Return a refusal with a code for machines and a hint for people."""
    return JSONResponse({"error": reason, "hint": text}, status_code=status)
