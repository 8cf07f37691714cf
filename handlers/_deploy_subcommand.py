"""What a sub-word of `/deploy` is: how it is written, what it does, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from handlers.context import HandlerContext
from handlers.payloads import Payload

Answer = Callable[[HandlerContext, list[str], Payload], Awaitable[str]]
"""Takes the words after the sub-word and Slack's command; gives mrkdwn for that person alone.

Who has submitted an intent gives an empty answer: the worker answers when it is carried out.
"""


@dataclass(frozen=True, kw_only=True)
class DeploySubcommand:
    """One sub-word of `/deploy`."""

    usage: str
    """What follows the sub-word, such as `<service> [30d]`."""
    summary: str
    """What it does, as a sentence for the help."""
    run: Answer
    reads: bool = False
    """Whether it only shows something, so that ``bot.domain.reading`` decides who may use it."""
