"""``python -m bot``: finds the commands and runs one."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from types import ModuleType

import bot.commands
from bot.domain.errors import BotError


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
    """Run one command; an expected failure is told in words, with its way out."""
    words = sys.argv[1:] if argv is None else argv
    arguments = build_parser(wanted=words[0] if words else "").parse_args(words)
    try:
        code: int = arguments.run(arguments)
    except BotError as error:
        print(f"{error}\n{error.hint}".strip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
