"""Run a workspace: ``localslack --port 8900``, or ``python -m localslack``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import json
import signal
import sys
from pathlib import Path

from localslack import __version__
from localslack.core import Rules
from localslack.server import LocalSlack
from localslack.workspace import Workspace, load_manifest, load_workspace

FAILED = 2


def main(argv: list[str] | None = None) -> int:
    """Run until interrupted; return the exit code."""
    args = _parser().parse_args(argv)
    try:
        slack = LocalSlack(
            _workspace(args), host=args.host, port=args.port, rules=_rules(args), keep=args.keep
        )
        asyncio.run(_serve(slack, as_json=args.json))
    except (ValueError, OSError) as exc:
        is_taken = isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE
        told = f"port {args.port} is in use; `--port 0` picks a free one" if is_taken else str(exc)
        print(f"localslack: {told}", file=sys.stderr)
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localslack", description="A Slack for the laptop.")
    parser.add_argument("--version", action="version", version=f"localslack {__version__}")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    parser.add_argument("--port", type=int, default=8900, help="the port; 0 picks a free one (default 8900)")
    parser.add_argument("--workspace", type=Path, metavar="FILE", help="people, channels and apps, as YAML")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="keep the conversations in this file, for the next start"
    )
    parser.add_argument("--app-name", help="the name of the first app")
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help="the first app's manifest, JSON or YAML"
    )
    parser.add_argument("--no-rate-limits", action="store_true", help="never answer 429")
    parser.add_argument(
        "--ack-timeout", type=float, default=3.0, metavar="S", help="seconds that an app has to acknowledge"
    )
    parser.add_argument("--events-url", default="", metavar="URL", help="post every payload there, signed")
    parser.add_argument("--signing-secret", default="", metavar="SECRET", help="sign with this secret")
    parser.add_argument("--json", action="store_true", help="print the addresses and tokens as one JSON line")
    return parser


def _workspace(args: argparse.Namespace) -> Workspace:
    manifest = load_manifest(args.manifest) if args.manifest else None
    return load_workspace(args.workspace).with_app(
        name=args.app_name,
        manifest=manifest,
        events_url=args.events_url,
        signing_secret=args.signing_secret,
    )


def _rules(args: argparse.Namespace) -> Rules:
    return Rules(ack_timeout_s=args.ack_timeout, has_rate_limits=not args.no_rate_limits)


async def _serve(slack: LocalSlack, *, as_json: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    async with slack:
        with contextlib.suppress(BrokenPipeError):
            _announce(slack, as_json=as_json)
        await stop.wait()


def _announce(slack: LocalSlack, *, as_json: bool) -> None:
    facts = {
        "url": slack.url,
        "api_url": slack.api_url,
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
    }
    if as_json:
        print(json.dumps(facts), flush=True)
        return
    print(f"{slack.core.workspace.name} is at {slack.url}", flush=True)
    for name, value in list(facts.items())[1:]:
        print(f"  {name:15} {value}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
