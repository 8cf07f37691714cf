"""``pilothouse clock``."""

from __future__ import annotations

import argparse

from bot.roles import clock, run_roles

NAME = "clock"
SUMMARY = "Wake runs and monitors that are due; two or more may run."


def configure(_parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    return run_roles([clock])
