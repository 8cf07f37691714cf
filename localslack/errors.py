"""The two ways a request is refused: by Slack's rules, or by the control API."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """A Web API refusal: becomes ``{"ok": false, "error": code, ...}``.

    ``extra`` holds further fields of the answer, such as ``response_metadata``.
    """

    def __init__(self, code: str, **extra: Any) -> None:  # noqa: ANN401  # any JSON may follow the code
        super().__init__(code)
        self.code = code
        self.extra = extra


class RateLimitedError(SlackError):
    """Too many calls; ``retry_after_s`` is the whole number of seconds to wait."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("ratelimited")
        self.retry_after_s = retry_after_s


class ActError(Exception):
    """An act is not possible; becomes a 4xx of the control API with a code and a sentence."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid_blocks(messages: list[str], *, code: str = "invalid_blocks") -> SlackError:
    """Return a refusal that lists every fault found, each with a JSON pointer to its place."""
    return SlackError(
        code, errors=[m.removeprefix("[ERROR] ") for m in messages], response_metadata={"messages": messages}
    )
