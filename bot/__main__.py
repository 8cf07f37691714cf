"""``pilothouse``, or ``python -m bot``: finds the commands and runs one."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import select
import sys
from pathlib import Path
from types import ModuleType

import bot.commands
from bot.domain.errors import BotError

PROG = "pilothouse"
_VERSION = "--version"
_READER_GONE = 141
"""The exit code that a shell reports for a command ended by SIGPIPE."""


def commands(*, wanted: str = "") -> tuple[ModuleType, ...]:
    """Return the command modules by name; each has ``NAME``, ``SUMMARY``, ``configure`` and ``run``.

    Only the one ``wanted``, if it exists, and none for the version: importing all of them takes longer
    than most of them run.
    """
    if wanted == _VERSION:
        return ()
    names = sorted(found.name for found in pkgutil.iter_modules(bot.commands.__path__))
    module_of_wanted = wanted.replace("-", "_")
    chosen = [module_of_wanted] if module_of_wanted in names else names
    modules = (importlib.import_module(f"bot.commands.{name}") for name in chosen)
    return tuple(module for module in modules if hasattr(module, "NAME"))


def build_parser(*, wanted: str = "", prog: str = PROG) -> argparse.ArgumentParser:
    """Return the parser of all commands, or of the one ``wanted``; ``prog`` is what the user typed."""
    parser = argparse.ArgumentParser(
        prog=prog, description="Pilothouse: incident response and deployments from Slack."
    )
    parser.add_argument(_VERSION, action="version", version=f"{PROG} {bot.__version__}")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in commands(wanted=wanted):
        sub = parsers.add_parser(module.NAME, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None, *, prog: str = PROG) -> int:
    """Run one command, to its end or until its output is no longer read (``| head``)."""
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv, prog)
        finally:
            sys.stdout.flush()  # otherwise Python flushes at exit, where an error cannot be caught
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
        return _READER_GONE


def _run(words: list[str], prog: str) -> int:
    """Run one command; print an expected failure with its hint."""
    arguments = build_parser(wanted=words[0] if words else "", prog=prog).parse_args(words)
    try:
        code: int = arguments.run(arguments)
    except BotError as error:
        print(f"{error}\n{error.hint}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _reader_is_gone() -> bool:
    """Return whether the reader of our output has gone, and not a connection inside the command."""
    poll = select.poll()
    poll.register(sys.stdout, 0)  # poll reports errors even when not asked for
    return any(what & select.POLLERR for _, what in poll.poll(0))


def _ignore_packages_of(folder: Path) -> None:
    """Drop the working directory from the import path unless Pilothouse itself is there.

    ``python -m`` puts it first on the path, where another project's ``handlers`` or ``demo`` would be taken
    for ours.
    """
    ours = Path(__file__).resolve().parent.parent
    if not sys.flags.safe_path and folder != ours and Path(sys.path[0]).resolve() == folder:
        del sys.path[0]


if __name__ == "__main__":
    _ignore_packages_of(Path.cwd().resolve())
    sys.exit(main(prog="python -m bot"))
