"""The manifest, the handlers and the calls they make agree with each other."""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import bot.adapters
import handlers
from bot.adapters.slack.manifest import SCOPES_OF_EVENT, SCOPES_OF_METHOD, manifest_of
from bot.commands import manifest as command
from bot.commands.manifest import link_of
from tests.handlers.desks import memory_desk

_SLACK_CODE = [
    *Path(handlers.__file__).parent.glob("*.py"),
    *(Path(bot.adapters.__file__).parent / "slack").glob("*.py"),
]
_MOVES_THE_SOCKET = "apps.connections.open"


class RecordingApp(AsyncApp):
    """Notes what the handlers listen to."""

    def __init__(self) -> None:
        super().__init__(client=AsyncWebClient(token="xoxb-test"), signing_secret="s")
        self.heard: dict[str, set[str]] = {"command": set(), "shortcut": set(), "event": set()}

    def command(self, command: Any, *args: Any, **kwargs: Any) -> Any:
        self.heard["command"].add(command)
        return super().command(command, *args, **kwargs)

    def shortcut(self, constraints: Any, *args: Any, **kwargs: Any) -> Any:
        self.heard["shortcut"].add(constraints)
        return super().shortcut(constraints, *args, **kwargs)

    def event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
        self.heard["event"].add(event)
        return super().event(event, *args, **kwargs)


@pytest.fixture
def heard() -> dict[str, set[str]]:
    app = RecordingApp()
    handlers.register_all(app, memory_desk())
    return app.heard


@pytest.fixture
def manifest() -> dict[str, Any]:
    return dict(manifest_of(handlers.modules()))


def test_every_command_is_in_the_manifest_and_no_other(heard, manifest):
    commands = {item["command"] for item in manifest["features"]["slash_commands"]}
    assert commands == heard["command"] == {"/deploy", "/monitor", "/rollback", "/triage"}


def test_every_shortcut_is_in_the_manifest_and_no_other(heard, manifest):
    assert {item["callback_id"] for item in manifest["features"]["shortcuts"]} == heard["shortcut"]


def test_every_event_is_in_the_manifest_and_no_other(heard, manifest):
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == heard["event"]


def test_every_event_has_its_scopes(manifest):
    granted = set(manifest["oauth_config"]["scopes"]["bot"])
    for event in manifest["settings"]["event_subscriptions"]["bot_events"]:
        assert SCOPES_OF_EVENT[event] <= granted


def test_every_method_that_is_called_has_its_scopes_and_nothing_more_is_asked_for(manifest):
    called = set(_methods_called()) - {_MOVES_THE_SOCKET}
    assert called == set(SCOPES_OF_METHOD)
    needed = set().union(*SCOPES_OF_METHOD.values(), *SCOPES_OF_EVENT.values(), {"commands"})
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_the_link_that_creates_the_app_carries_the_whole_manifest(manifest):
    asked = parse_qs(urlsplit(link_of(manifest)).query)
    assert asked["new_app"] == ["1"]
    assert json.loads(asked["manifest_json"][0]) == manifest


def test_buttons_and_modals_reach_the_app(manifest):
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True


def test_names_and_ids_arrive_escaped(manifest):
    assert all(item["should_escape"] for item in manifest["features"]["slash_commands"])


def test_names_are_within_slacks_limits(manifest):
    assert len(manifest["display_information"]["description"]) <= 140
    for item in manifest["features"]["slash_commands"]:
        assert len(item["command"]) <= 32
    for item in manifest["features"]["shortcuts"]:
        assert len(item["name"]) <= 24
        assert len(item["description"]) <= 150


def test_the_command_prints_socket_mode_by_default(capsys):
    printed = _printed(capsys)
    assert printed["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(printed)


def test_the_command_prints_addresses_for_http(capsys):
    printed = _printed(capsys, "--http", "https://bot.example.com/", "--name", "Helm")
    url = "https://bot.example.com/slack/events"
    assert printed["settings"]["socket_mode_enabled"] is False
    assert printed["settings"]["interactivity"]["request_url"] == url
    assert printed["settings"]["event_subscriptions"]["request_url"] == url
    assert {item["url"] for item in printed["features"]["slash_commands"]} == {url}
    assert printed["display_information"]["name"] == "Helm"


def _printed(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert command.run(parser.parse_args(args)) == 0
    return dict(json.loads(capsys.readouterr().out))


def _methods_called() -> Iterator[str]:
    """Find every call of a Web API method: ``client.chat_postMessage`` is ``chat.postMessage``."""
    known = {name for name in dir(AsyncWebClient) if "_" in name and not name.startswith("_")}
    for path in _SLACK_CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in known:
                yield node.attr.replace("_", ".")
