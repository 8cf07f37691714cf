"""``pilothouse all``: the three roles in one process."""

from __future__ import annotations

import argparse

from bot.roles import clock, run_roles, web, worker

NAME = "all"
SUMMARY = "Run web, worker and clock in one process, for a small team."


def configure(_parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    return run_roles([web, worker, clock])
