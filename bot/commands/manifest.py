"""Prints the Slack app manifest."""

from __future__ import annotations

import argparse
import json
from urllib.parse import quote

import handlers
from bot.adapters.slack.app import EVENTS_PATH
from bot.adapters.slack.manifest import DEFAULT_NAME, manifest_of
from bot.domain.model import JsonObject

NAME = "manifest"
SUMMARY = "Print the Slack app manifest, or a link that creates the app from it."
_CREATE_APP = "https://api.slack.com/apps?new_app=1&manifest_json="


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
    parser.add_argument(
        "--link", action="store_true", help="print a link that opens Slack with the manifest filled in"
    )


def run(args: argparse.Namespace) -> int:
    """Print it as JSON, or as a link."""
    url = args.http.rstrip("/") + EVENTS_PATH if args.http else ""
    manifest = manifest_of(handlers.modules(), name=args.name, url=url)
    print(link_of(manifest) if args.link else json.dumps(manifest, indent=2))
    return 0


def link_of(manifest: JsonObject) -> str:
    """Return the address of Slack's page that creates an app, with the manifest filled in."""
    return _CREATE_APP + quote(json.dumps(manifest, separators=(",", ":")), safe="")
