"""Asks squawk, a linter of PostgreSQL migrations, for its opinion of one file."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bot.domain.errors import ProbeGarbageError, ProbeUnavailableError
from bot.domain.formatting import duration
from bot.domain.model import Model

_MOST_SAID = 300
# It asks for IF NOT EXISTS, which may find what was there before; and for time limits, which are set where
# a migration is applied.
_EXCLUDED = "prefer-robust-stmts,require-lock-timeout,require-statement-timeout"


class Violation(Model):
    """One thing squawk does not like; ``line`` counts from 1."""

    rule: str
    level: str
    line: int
    message: str
    help: str = ""


class _Said(Model):
    model_config = ConfigDict(extra="ignore")  # squawk adds fields from version to version

    rule_name: str
    level: str
    line: int
    message: str
    help: str | None = None


_ANSWER = TypeAdapter(list[_Said])


def squawk_command() -> str:
    """Find the program beside this Python, where its wheel puts it, or on the path.

    Raises:
        ProbeUnavailableError: it is not installed.
    """
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.is_file() else shutil.which("squawk")
    if not found:
        raise ProbeUnavailableError("squawk is not installed.", hint="Install `squawk-cli`.")
    return found


async def lint(sql: str, *, command: str, limit_s: float, in_transaction: bool) -> tuple[Violation, ...]:
    """Lint one file's SQL within ``limit_s`` seconds.

    Raises:
        ProbeUnavailableError: squawk cannot be started or does not end in time; that is not a clean file.
        ProbeGarbageError: it says something else than its JSON.
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
        raise ProbeUnavailableError(f"squawk cannot be started: {type(error).__name__}.") from error
    try:
        async with asyncio.timeout(limit_s):
            said, _ = await process.communicate(sql.encode())
    except TimeoutError as error:
        raise ProbeUnavailableError(f"squawk did not end within {duration(limit_s)}.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found = _ANSWER.validate_json(said)
    except ValidationError as error:
        text = said.decode(errors="replace")[:_MOST_SAID]
        raise ProbeGarbageError(f"squawk ended with {process.returncode} and said: {text}") from error
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
