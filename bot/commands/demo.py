"""``pilothouse demo``: the whole loop on this machine, to click through or played by script."""

from __future__ import annotations

import argparse
import asyncio

from demo.scenarios.scenarios import ALL, scenario

NAME = "demo"
SUMMARY = "Start a shop, a local Slack and the bot; break the shop and watch the bot repair it."
SLACK_PORT = 8900


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--list", action="store_true", help="list the scenarios and exit")
    parser.add_argument("--scenario", metavar="NAME", help="play this scenario (or `all`) by script and exit")
    parser.add_argument(
        "--json", action="store_true", help="print the result as one JSON object (`all`: one a line)"
    )
    parser.add_argument(
        "--start",
        choices=("button", "command", "mention"),
        default="button",
        help="how the triage is requested",
    )
    parser.add_argument(
        "--slack-mode", choices=("socket", "http"), default="socket", help="how Slack reaches the bot"
    )
    parser.add_argument(
        "--port", type=int, default=SLACK_PORT, help=f"port of the page ({SLACK_PORT}; 0: a free one)"
    )
    parser.add_argument(
        "--watch",
        type=float,
        default=None,
        metavar="S",
        help="seconds to watch after a fix (60; by script 5)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demonstration."""
    if arguments.list:
        for known in ALL:
            print(f"{known.name:20} {known.summary}")
        return 0
    from demo.scenarios.main import by_hand, by_script  # noqa: PLC0415  # the bot's roles need none of it

    if not arguments.scenario:
        watch_s = arguments.watch or 60
        return asyncio.run(by_hand(port=arguments.port, watch_s=watch_s, slack_mode=arguments.slack_mode))
    chosen = ALL if arguments.scenario == "all" else (scenario(arguments.scenario),)
    return asyncio.run(
        by_script(
            chosen,
            start=arguments.start,
            as_json=arguments.json,
            watch_s=arguments.watch or 5,
            slack_mode=arguments.slack_mode,
        )
    )
