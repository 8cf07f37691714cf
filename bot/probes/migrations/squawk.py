"""Lints a migration with squawk, a linter for PostgreSQL migrations."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bot.domain.errors import ProbeGarbageError, ProbeUnavailableError
from bot.domain.formatting import duration
from bot.domain.model import Model

_MOST_SHOWN = 300
# These rules ask for IF NOT EXISTS, which may match an older object, and for time limits, which the bot sets
# when it applies a migration.
_EXCLUDED = "prefer-robust-stmts,require-lock-timeout,require-statement-timeout"


class Violation(Model):
    """One of squawk's findings; ``line`` counts from 1."""

    rule: str
    level: str
    line: int
    message: str
    help: str = ""


class _SquawkFinding(Model):
    model_config = ConfigDict(extra="ignore")  # squawk adds fields from version to version

    rule_name: str
    level: str
    line: int
    message: str
    help: str | None = None


_ANSWER = TypeAdapter(list[_SquawkFinding])


def squawk_command() -> str:
    """Return the path of squawk: beside this Python, where its wheel installs it, or on ``PATH``.

    Raises:
        ProbeUnavailableError: squawk is not installed.
    """
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.is_file() else shutil.which("squawk")
    if not found:
        raise ProbeUnavailableError("squawk is not installed.", hint="Install `squawk-cli`.")
    return found


async def lint(sql: str, *, command: str, limit_s: float, in_transaction: bool) -> tuple[Violation, ...]:
    """Return squawk's findings for one file's SQL, within ``limit_s`` seconds.

    Raises:
        ProbeUnavailableError: squawk cannot be started or does not finish in time; the file may have errors.
        ProbeGarbageError: squawk's output is not its usual JSON.
    """
    wrapped = ("--assume-in-transaction",) if in_transaction else ()
    try:
        process = await asyncio.create_subprocess_exec(
            command,
            "--reporter=json",
            f"--exclude={_EXCLUDED}",
            *wrapped,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise ProbeUnavailableError(f"squawk could not be started: {type(error).__name__}.") from error
    try:
        async with asyncio.timeout(limit_s):
            output, _ = await process.communicate(sql.encode())
    except TimeoutError as error:
        raise ProbeUnavailableError(f"squawk did not finish within {duration(limit_s)}.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found = _ANSWER.validate_json(output)
    except ValidationError as error:
        text = output.decode(errors="replace")[:_MOST_SHOWN]
        raise ProbeGarbageError(
            f"squawk exited with code {process.returncode} and printed: {text}"
        ) from error
    return tuple(
        Violation(
            rule=one.rule_name,
            level=one.level.lower(),
            line=one.line + 1,
            message=one.message,
            help=one.help or "",
        )
        for one in found
    )
