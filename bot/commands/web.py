"""``pilothouse web``."""

from __future__ import annotations

import argparse

from bot.roles import run_roles, web

NAME = "web"
SUMMARY = "Receive requests from Slack and alert webhooks; serve health and metrics."


def configure(_parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: everything is a setting."""


def run(_arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT."""
    return run_roles([web])
