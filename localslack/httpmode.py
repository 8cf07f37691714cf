"""HTTP mode: payloads posted to an app's request URLs, signed as Slack signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from urllib.parse import urlencode

import aiohttp

from localslack.clock import WorkspaceClock
from localslack.envelopes import FAILED, TIMEOUT, Ack, Envelope
from localslack.shapes import Json

OK = 200


def signature(secret: str, *, timestamp: str, body: bytes) -> str:
    """Return the ``X-Slack-Signature`` of a body: ``v0=`` and HMAC-SHA256 over ``v0:timestamp:body``."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpMode:
    """Posts to one app; implements ``Transport``."""

    def __init__(self, session: aiohttp.ClientSession, *, secret: str, clock: WorkspaceClock) -> None:
        self._session = session
        self._secret = secret
        self._clock = clock

    async def deliver(self, envelope: Envelope, *, timeout_s: float) -> Ack:
        """Post the envelope; any answer but a 200 in time is a failure."""
        headers = {}
        if envelope.retry_num:
            headers = {
                "X-Slack-Retry-Num": str(envelope.retry_num),
                "X-Slack-Retry-Reason": envelope.retry_reason,
            }
        match envelope.kind:
            case "slash_commands":
                body, form = urlencode(envelope.payload).encode(), True
            case "interactive":
                body, form = urlencode({"payload": json.dumps(envelope.payload)}).encode(), True
            case "events_api":
                body, form = json.dumps(envelope.payload).encode(), False
        return await self._post(envelope.url, body, headers=headers, form=form, timeout_s=timeout_s)

    async def verify(self, url: str, *, timeout_s: float) -> bool:
        """Return whether the events URL answers Slack's challenge."""
        challenge = secrets.token_urlsafe(24)
        body = json.dumps({"type": "url_verification", "token": "local", "challenge": challenge}).encode()
        ack = await self._post(url, body, headers={}, form=False, timeout_s=timeout_s)
        answer = ack.body or {}
        return ack.ok and challenge in {answer.get("challenge"), answer.get("text")}

    async def _post(
        self, url: str, body: bytes, *, headers: dict[str, str], form: bool, timeout_s: float
    ) -> Ack:
        timestamp = str(int(self._clock.now()))
        signed = {
            **headers,
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "User-Agent": "Slackbot 1.0 (localslack)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp=timestamp, body=body),
        }
        limit = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with self._session.post(url, data=body, headers=signed, timeout=limit) as response:
                text = await response.text()
                if response.status != OK:
                    return Ack(error=FAILED)
                return Ack(body=_parsed(text))
        except TimeoutError:
            return Ack(error=TIMEOUT)
        except (aiohttp.ClientError, ValueError):
            return Ack(error=FAILED)


def _parsed(text: str) -> Json | None:
    if not text.strip():
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return {"text": text}
    return body if isinstance(body, dict) else {"text": text}
