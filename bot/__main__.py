"""``python -m bot``: finds the commands and runs one."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from types import ModuleType

import bot.commands
from bot.domain.errors import BotError


def commands() -> tuple[ModuleType, ...]:
    """List the command modules by name; each has ``NAME``, ``SUMMARY``, ``configure`` and ``run``."""
    names = sorted(found.name for found in pkgutil.iter_modules(bot.commands.__path__))
    modules = (importlib.import_module(f"bot.commands.{name}") for name in names)
    return tuple(module for module in modules if hasattr(module, "NAME"))


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Pilothouse: incident response and deployments from Slack."
    )
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in commands():
        sub = parsers.add_parser(module.NAME, help=module.SUMMARY, description=module.SUMMARY)
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; an expected failure is told in words, with its way out."""
    arguments = build_parser().parse_args(argv)
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
