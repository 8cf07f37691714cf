"""``pilothouse web``."""

from __future__ import annotations

import argparse

from bot.roles import run_roles, web

NAME = "web"
SUMMARY = "Receive: Slack, alert webhooks, health, metrics."


def configure(_parser: argparse.ArgumentParser) -> None:
    """Take no arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until told to stop."""
    return run_roles([web])
