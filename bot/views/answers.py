"""Answers that only one person sees: errors with what to do next, and the help."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.errors import BotError
from bot.views.limits import TEXT_CHARS, code, cut_lines, prose
from bot.views.phrases import (
    sentence,
)


def error_text(error: BotError) -> str:
    """Return an expected failure and its hint, as mrkdwn."""
    lines = [sentence(prose(str(error), 1_000)), prose(error.hint, 1_000)]
    return cut_lines("\n".join(line for line in lines if line), TEXT_CHARS)


def broken_text(reference: str) -> str:
    """Return the answer to an unexpected failure; ``reference`` finds it in the logs."""
    return (
        f"🚨 Something broke on our side ({code(reference, 80)}). Nothing was started. Try again in a minute."
    )


def help_text(commands: Sequence[tuple[str, str]]) -> str:
    """Return the help: how each command is written (``/triage <service>``) and what it does."""
    lines = [f"• {code(usage, 200)}\n{prose(summary)}" for usage, summary in commands]
    return cut_lines("\n".join(("*Commands*", *lines)), TEXT_CHARS)
