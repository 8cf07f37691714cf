"""Answers to one person alone: what went wrong and what to do, and the help."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.errors import BotError
from bot.views.limits import TEXT_CHARS, code, cut_lines, prose
from bot.views.phrases import (
    sentence,
)


def error_text(error: BotError) -> str:
    """Say an expected failure and its way out, as mrkdwn."""
    lines = [sentence(prose(str(error), 1_000)), prose(error.hint, 1_000)]
    return cut_lines("\n".join(line for line in lines if line), TEXT_CHARS)


def broken_text(reference: str) -> str:
    """Say that something broke on our side; ``reference`` finds it in the logs."""
    return (
        f"🚨 Something broke on our side ({code(reference, 80)}). Nothing was started. Try again in a minute."
    )


def help_text(commands: Sequence[tuple[str, str]]) -> str:
    """List commands: how each is written (``/triage <service>``) and what it does."""
    lines = [f"• {code(usage, 200)}\n{prose(summary)}" for usage, summary in commands]
    return cut_lines("\n".join(("*What I understand*", *lines)), TEXT_CHARS)
