"""The description of a subcommand of `/deploy`: its usage, its summary and its handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from handlers.context import HandlerContext
from handlers.payloads import Payload

Answer = Callable[[HandlerContext, list[str], Payload], Awaitable[str]]
"""Takes the words after the subcommand and Slack's command; returns mrkdwn for that person alone.

The answer is empty if an intent was submitted: the worker answers when it is carried out.
"""


@dataclass(frozen=True, kw_only=True)
class DeploySubcommand:
    """One subcommand of `/deploy`."""

    usage: str
    """What follows the subcommand, such as `<service> [30d]`."""
    summary: str
    """What it does, as one sentence for the help."""
    run: Answer
    reads: bool = False
    """Whether it is read-only, so that ``bot.domain.reading`` decides who may use it."""
