"""``pilothouse worker``."""

from __future__ import annotations

import argparse

from bot.roles import run_roles, worker

NAME = "worker"
SUMMARY = "Advance runs and show them in Slack; any number may run."


def configure(_parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    return run_roles([worker])
