"""Serves flags by the OpenFeature Remote Evaluation Protocol, which any of its SDKs speaks."""

from __future__ import annotations

from typing import assert_never

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.http.base import WebParts, body_of, refused, token_fits
from bot.domain.deployments.flag import EvaluationContext, EvaluationDetails
from bot.domain.errors import UnknownServiceError
from bot.services.flag_provider import FlagProvider

OFREP = "/ofrep/v1/evaluate/flags"
_MOST_BYTES = 20_000


class _Context(BaseModel):
    """The user in question, in the protocol's terms; other fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, hide_input_in_errors=True)

    targeting_key: str = Field(default="", alias="targetingKey")
    tenant: str = ""


class _Question(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    context: _Context = _Context()


class FlagsOut:
    """The address that services ask for flags; the part of it before ``/ofrep`` is a provider's base URL."""

    def __init__(self, parts: WebParts) -> None:
        """Serve from ``parts``."""
        self._parts = parts

    async def evaluate(self, request: Request) -> Response:
        """Answer for one flag; on anything but a 200 a service uses its own default."""
        token = self._parts.flags_token
        if token is None:
            return refused(503, "flags_token_missing", "Set PILOTHOUSE_FLAGS_TOKEN to serve flags.")
        if not token_fits(request, token):
            return refused(401, "flags_token_wrong", "Send `Authorization: Bearer <PILOTHOUSE_FLAGS_TOKEN>`.")
        service, key = request.path_params["service"], request.path_params["key"]
        try:
            self._parts.catalogue.get(service)
        except UnknownServiceError as error:
            return _failure(404, key, "FLAG_NOT_FOUND", str(error))
        body = await body_of(request, most_bytes=_MOST_BYTES)
        if body is None:
            return _failure(400, key, "PARSE_ERROR", f"Send at most {_MOST_BYTES} bytes.")
        try:
            asked = _Question.model_validate_json(body or b"{}").context
        except ValidationError as error:
            code = "PARSE_ERROR" if error.errors()[0]["type"] == "json_invalid" else "INVALID_CONTEXT"
            return _failure(400, key, code, 'Send {"context": {"targetingKey": "…", "tenant": "…"}}.')
        provider = FlagProvider(flags=self._parts.stores.flags, service=service)
        about = EvaluationContext(targeting_key=asked.targeting_key, tenant=asked.tenant)
        default = False  # never sent: without an answer, a service uses its own default
        return answer(await provider.resolve_boolean_details(key, default, about))


def answer(details: EvaluationDetails) -> Response:
    """Return an evaluation in the protocol's terms."""
    match details.error_code:
        case "":
            told = {"value": details.value, "variant": details.variant, "reason": details.reason}
            return JSONResponse({"key": details.flag_key, **told})
        case "FLAG_NOT_FOUND":
            return _failure(404, details.flag_key, details.error_code, details.error_message)
        case "TARGETING_KEY_MISSING":
            return _failure(400, details.flag_key, details.error_code, details.error_message)
        case "PROVIDER_NOT_READY":
            return JSONResponse({"errorDetails": details.error_message}, status_code=500)
        case _:
            assert_never(details.error_code)


def _failure(status: int, key: str, code: str, text: str) -> Response:
    return JSONResponse({"key": key, "errorCode": code, "errorDetails": text}, status_code=status)
