"""What a failed call to Slack means: refused, rate-limited, unreachable or unknown."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import aiohttp
from slack_sdk.errors import SlackApiError

log = logging.getLogger(__name__)

SLACK_ERRORS = (SlackApiError, aiohttp.ClientError, TimeoutError)
"""Everything that a failed call of the client raises."""

NO_PICTURE = "invalid_slack_file"
"""Our code for blocks that are refused because their picture is not available, at least not yet."""

_LIMITED = frozenset({"ratelimited", "rate_limited"})
_UNSURE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""According to Slack's documentation, the call may have taken effect despite these errors."""
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_TOO_MANY = 429
_SERVER_FAULT = 500
_WITHOUT_ADVICE_S = 30.0
_ONCE_EVERY_S = 60.0


@dataclass(frozen=True, kw_only=True)
class SlackFailure:
    """A failed call.

    ``refused``: Slack refused, nothing happened; ``limited``: nothing happened, ask again in ``retry_s``
    seconds; ``unreached``: nothing was sent; ``unsure``: it may or may not have happened.
    """

    kind: Literal["refused", "limited", "unreached", "unsure"]
    code: str
    retry_s: float = 0


def slack_failure_of(error: BaseException) -> SlackFailure:
    """Return what one of ``SLACK_ERRORS`` means."""
    if isinstance(error, _NEVER_SENT):
        return SlackFailure(kind="unreached", code=type(error).__name__)
    if not isinstance(error, SlackApiError):
        return SlackFailure(kind="unsure", code=type(error).__name__)
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if status == _TOO_MANY or code in _LIMITED:
        return SlackFailure(
            kind="limited", code="ratelimited", retry_s=_retry_s(getattr(response, "headers", {}))
        )
    if status >= _SERVER_FAULT or not code or code in _UNSURE:
        return SlackFailure(kind="unsure", code=code or f"http_{status}")
    return SlackFailure(kind="refused", code=NO_PICTURE if _lacks_picture(code, data) else code)


def _lacks_picture(code: str, data: object) -> bool:
    return code == "invalid_blocks" and "invalid slack file" in str(data)


def _retry_s(headers: Mapping[str, str]) -> float:
    advice = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(advice) if str(advice).isdecimal() else _WITHOUT_ADVICE_S


class ThrottledLogger:
    """Logs the same event at most once a minute."""

    def __init__(self, logger: logging.Logger) -> None:
        """Log to ``logger``."""
        self._log = logger
        self._logged: dict[tuple[str, str], float] = {}

    def log(
        self, event: str, fields: Mapping[str, object], *, about: str = "", level: int = logging.ERROR
    ) -> None:
        """Log ``event`` with ``fields`` unless it was logged ``about`` the same in the last minute."""
        now = time.monotonic()
        self._logged = {key: at for key, at in self._logged.items() if now - at < _ONCE_EVERY_S}
        if (event, about) not in self._logged:
            self._logged[event, about] = now
            self._log.log(level, event, extra=fields)


class Backoff:
    """How long to leave Slack alone: twice as long after each failure, up to ``most_s`` seconds."""

    def __init__(self, *, least_s: float = 0.5, most_s: float = 30.0) -> None:
        """Begin without a failure."""
        self._least_s = least_s
        self._most_s = most_s
        self._failures = 0
        self._until = 0.0

    def failed(self) -> float:
        """Record a failure; return the seconds until the next try."""
        if self.rest_s <= 0:  # concurrent calls fail together; that counts once
            delay = min(self._most_s, self._least_s * 2**self._failures)
            self._failures = min(self._failures + 1, 16)
            self._until = time.monotonic() + delay
        return self.rest_s

    def over(self) -> None:
        """Record a success."""
        self._failures, self._until = 0, 0.0

    @property
    def rest_s(self) -> float:
        """The seconds left before the next try; 0 after a success."""
        return max(0.0, self._until - time.monotonic())
