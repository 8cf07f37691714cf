"""Commands as Slack delivers them: signed, on a schedule, some of them twice."""

from __future__ import annotations

import hashlib
import hmac
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

_AGAIN_S = 0.5
_SEED = 7


@dataclass(frozen=True, kw_only=True, order=True)
class Delivery:
    """One delivery of a command, ``due_s`` seconds after the beginning; a redelivery has the same ``key``."""

    due_s: float
    key: str
    service: str


def deliveries(
    name: str, *, rate: int, seconds: float, redelivered: float, services: int
) -> Iterator[Delivery]:
    """List deliveries in order: ``rate`` commands a second, a share of them again half a second later."""
    chance = random.Random(_SEED)
    planned: list[Delivery] = []
    for number in range(round(rate * seconds)):
        first = Delivery(due_s=number / rate, key=f"{name}-{number}", service=f"service{number % services}")
        planned.append(first)
        if chance.random() < redelivered:
            planned.append(Delivery(due_s=first.due_s + _AGAIN_S, key=first.key, service=first.service))
    yield from sorted(planned)


async def post(session: aiohttp.ClientSession, url: str, delivery: Delivery, *, secret: str) -> bool:
    """Deliver a command; true if it was acknowledged, without a word of refusal."""
    body = urlencode(
        {
            "command": "/triage",
            "text": delivery.service,
            "team_id": "T0LOCAL001",
            "user_id": "U0ANA00001",
            "user_name": "ana",
            "channel_id": "C0CHECKOUT",
            "trigger_id": delivery.key,
        }
    ).encode()
    stamp = str(int(time.time()))  # noqa: TID251  # Slack signs with the time of day
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.ok and not await answer.read()
    except aiohttp.ClientError:
        return False
