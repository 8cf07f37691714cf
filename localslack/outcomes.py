"""The answers of the control API, as the client returns them."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

from localslack.shapes import Json


class ControlError(Exception):
    """The control API refused: ``code`` is for machines, the message for people."""

    def __init__(self, code: str, message: str, *, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status


class WaitTimeoutError(ControlError):
    """Nothing matched in time; the error quotes the last messages seen."""


@dataclass(frozen=True, slots=True)
class VisibleMessage:
    """A message as a person sees it; ``text`` is its plain text, blocks included, ``json`` all of it."""

    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None
    is_ephemeral: bool
    json: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """The outcome of an act. ``error`` is what the person was shown; latencies are in milliseconds."""

    ok: bool
    error: str | None
    ack_latency_ms: float | None
    trigger_id: str | None
    ephemerals: tuple[Json, ...]
    json: Json = field(repr=False)


def checked(response: httpx.Response) -> Json:
    """Return the JSON of an answer.

    Raises:
        ControlError: the answer is a refusal.
    """
    if response.is_success:
        is_json = response.headers.get("content-type", "").startswith("application/json")
        return dict(response.json()) if is_json else {}
    try:
        answer = response.json()
    except ValueError:
        raise ControlError("bad_answer", response.text[:200], status=response.status_code) from None
    kind = WaitTimeoutError if answer.get("error") == "timeout" else ControlError
    raise kind(str(answer.get("error")), str(answer.get("message")), status=response.status_code)


def seen(message: Json) -> VisibleMessage:
    """Return a message of the control API."""
    return VisibleMessage(
        channel=message["channel"],
        ts=message["ts"],
        user=message["user"],
        text=message["reading"],
        thread_ts=message.get("thread_ts"),
        is_ephemeral=bool(message.get("is_ephemeral")),
        json=message,
    )


def outcome(answer: Json) -> ActOutcome:
    """Return the answer to an act."""
    return ActOutcome(
        ok=bool(answer["ok"]),
        error=answer.get("error"),
        ack_latency_ms=answer.get("ack_latency_ms"),
        trigger_id=answer.get("trigger_id"),
        ephemerals=tuple(answer.get("ephemerals") or ()),
        json=answer,
    )
