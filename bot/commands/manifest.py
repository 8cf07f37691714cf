"""Prints the Slack app manifest."""

from __future__ import annotations

import argparse
import json

import handlers
from bot.adapters.slack.app import EVENTS_PATH
from bot.adapters.slack.manifest import DEFAULT_NAME, manifest_of

NAME = "manifest"
SUMMARY = "Print the Slack app manifest, to paste where you create the app."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--name", default=DEFAULT_NAME, help="the app's name (default: %(default)s)")
    parser.add_argument(
        "--http",
        metavar="URL",
        default="",
        help="receive signed HTTP at this public address, such as https://bot.example.com, "
        "instead of Socket Mode",
    )


def run(args: argparse.Namespace) -> int:
    """Print it as JSON."""
    url = args.http.rstrip("/") + EVENTS_PATH if args.http else ""
    print(json.dumps(manifest_of(handlers.modules(), name=args.name, url=url), indent=2))
    return 0
