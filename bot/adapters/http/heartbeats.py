"""Takes the heartbeats of jobs, from anything that can make an HTTP request, such as `curl` in a crontab."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.http.base import WebParts, body_of, refused, token_fits
from bot.adapters.observability.meters import Meters
from bot.domain.catalogue import Catalogue
from bot.domain.errors import NotFoundError, UnknownServiceError
from bot.domain.monitoring.heartbeat import MOST_TEXT, Heartbeat
from bot.domain.nearest import did_you_mean

log = logging.getLogger(__name__)

_MOST_BYTES = 20_000


class _Report(BaseModel):
    """A job's report; ``text`` is cut, so that a long error is not refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    status: str = Field(default="ok", pattern="^(ok|fail)$")
    text: str = ""
    duration_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class HeartbeatsIn:
    """The address that jobs report to; a report is stored before it is answered."""

    def __init__(self, parts: WebParts, meters: Meters) -> None:
        """Serve from ``parts``."""
        self._parts = parts
        self._meters = meters

    async def report(self, request: Request) -> Response:
        """Take a report by POST, or by GET with the same fields in the query."""
        response = await self._answer(request)
        self._meters.heartbeats.labels(str(response.status_code)).inc()
        return response

    async def _answer(self, request: Request) -> Response:
        token = self._parts.heartbeat_token
        if token is None:
            return refused(
                503, "heartbeat_token_missing", "Set PILOTHOUSE_HEARTBEAT_TOKEN to accept heartbeats."
            )
        if not token_fits(request, token):
            hint = "Send `Authorization: Bearer <PILOTHOUSE_HEARTBEAT_TOKEN>`."
            return refused(401, "heartbeat_token_wrong", hint)
        body = await body_of(request, most_bytes=_MOST_BYTES)
        if body is None:
            return refused(413, "heartbeat_too_big", f"Send at most {_MOST_BYTES} bytes.")
        service, job = request.path_params["service"], request.path_params["job"]
        try:
            check_job(self._parts.catalogue, service=service, job=job)
            beat = self._beat(service, job, {**dict(request.query_params), **fields_of(body)})
            await self._parts.stores.heartbeats.beat(beat)
        except (UnknownServiceError, NotFoundError) as error:
            return refused(404, error.code, error.in_full)
        except ValueError as error:
            return refused(400, "heartbeat_not_understood", _in_words(error))
        except (RedisError, OSError):
            log.exception("heartbeat_not_written")
            return refused(503, "store_down", "Report again in a moment; nothing was stored.")
        return JSONResponse({"service": service, "job": job, "status": beat.status}, status_code=202)

    def _beat(self, service: str, job: str, fields: Mapping[str, object]) -> Heartbeat:
        report = _Report.model_validate(fields)
        return Heartbeat.model_validate(
            {
                "service": service,
                "job": job,
                "at": self._parts.clock.now(),
                **report.model_dump(),
                "text": report.text[:MOST_TEXT],
            }
        )


def check_job(catalogue: Catalogue, *, service: str, job: str) -> None:
    """Refuse names that are not in the catalogue; pure.

    Raises:
        UnknownServiceError: there is no such service.
        NotFoundError: the service lists its heartbeats, and this is not one.
    """
    listed = catalogue.get(service).heartbeats
    if listed and job not in listed:
        raise NotFoundError(
            f"{service} has no job called `{job}`{did_you_mean(job, listed)}.",
            hint="Add it to the service's `heartbeats:` in the catalogue.",
            code="unknown_job",
        )


def fields_of(body: bytes) -> dict[str, object]:
    """Return the fields of a JSON body, or of a form as `curl -d` sends it; pure.

    Raises:
        ValueError: it is not JSON or a form.
    """
    text = body.decode().strip()
    if not text.startswith("{"):
        return dict(parse_qsl(text, strict_parsing=True)) if text else {}
    try:
        fields: dict[str, object] = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return fields


def _in_words(error: ValueError) -> str:
    said = "Send `status` (ok or fail), optionally with `text` and `duration_s` (seconds)."
    if not isinstance(error, ValidationError):
        return said
    wrong = sorted({str(detail["loc"][0]) for detail in error.errors(include_input=False)})
    return f"{said} Not valid: {', '.join(wrong)}."
