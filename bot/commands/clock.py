"""``pilothouse clock``."""

from __future__ import annotations

import argparse

from bot.roles import clock, run_roles

NAME = "clock"
SUMMARY = "Wake what is due; two or more may run."


def configure(_parser: argparse.ArgumentParser) -> None:
    """Take no arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until told to stop."""
    return run_roles([clock])
