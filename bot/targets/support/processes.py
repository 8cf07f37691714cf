"""Runs a program without a shell, with a clean environment and a time limit."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.formatting import duration

_PASSED_ON = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK", "TMPDIR")
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class CompletedProgram:
    """The exit code and the output of a program."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The end of what it wrote to its standard error, in one line."""
        return " ".join(self.err.split())[-300:]


async def run(
    command: Sequence[str],
    *,
    within_s: float,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> CompletedProgram:
    """Run a program with a minimal environment and ``env``, without the bot's secrets.

    Raises:
        ActionFailedError: there is no such program; nothing was done.
        ActionInDoubtError: it did not finish in time, and was killed with all its child processes.
    """
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**passed_on, **(env or {})},
            start_new_session=True,
        )
    except OSError as error:
        raise ActionFailedError(
            f"{command[0]} could not be run: {error.strerror}.",
            hint="Install it where the workers run, or correct its name in the catalogue.",
            code="target_unavailable",
        ) from error
    try:
        async with asyncio.timeout(within_s):
            out, err = await process.communicate(stdin)
    except TimeoutError as error:
        raise ActionInDoubtError(
            f"{command[0]} did not finish within {duration(within_s)} and was killed.", code="not_in_time"
        ) from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    output, complaint = (text[-_MOST_BYTES:].decode(errors="replace") for text in (out, err))
    return CompletedProgram(code=process.returncode or 0, out=output, err=complaint)
