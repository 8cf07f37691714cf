"""``python -m bot``: finds the commands and runs one."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import select
import sys
from types import ModuleType

import bot.commands
from bot.domain.errors import BotError

_READER_GONE = 141
"""What a shell tells of a command that SIGPIPE ended."""


def commands(*, wanted: str = "") -> tuple[ModuleType, ...]:
    """List the command modules by name; each has ``NAME``, ``SUMMARY``, ``configure`` and ``run``.

    Only the one that is ``wanted``, if there is one of that name: to import all of them takes longer than
    most of them run.
    """
    names = sorted(found.name for found in pkgutil.iter_modules(bot.commands.__path__))
    module_of_wanted = wanted.replace("-", "_")
    chosen = [module_of_wanted] if module_of_wanted in names else names
    modules = (importlib.import_module(f"bot.commands.{name}") for name in chosen)
    return tuple(module for module in modules if hasattr(module, "NAME"))


def build_parser(*, wanted: str = "") -> argparse.ArgumentParser:
    """Make the parser of all commands, or of the one that is ``wanted``."""
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Pilothouse: incident response and deployments from Slack."
    )
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in commands(wanted=wanted):
        sub = parsers.add_parser(module.NAME, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command, to the end of it or until nobody reads any more what it prints (``| head``)."""
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            sys.stdout.flush()  # else Python does so as it ends, where nobody can catch what comes of it
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still in the buffer
        return _READER_GONE


def _run(words: list[str]) -> int:
    """Run one command; an expected failure is told in words, with its way out."""
    arguments = build_parser(wanted=words[0] if words else "").parse_args(words)
    try:
        code: int = arguments.run(arguments)
    except BotError as error:
        print(f"{error}\n{error.hint}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _reader_is_gone() -> bool:
    """Tell a pipe that nobody reads from a connection that broke inside of the command."""
    poll = select.poll()
    poll.register(sys.stdout, 0)  # errors are told unasked
    return any(what & select.POLLERR for _, what in poll.poll(0))


if __name__ == "__main__":
    sys.exit(main())
