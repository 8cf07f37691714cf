"""Workspace files, manifests and the command line."""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import httpx
import pytest

from localslack import LocalSlack, load_workspace
from localslack.__main__ import main
from localslack.errors import ActError
from localslack.manifest import parse_manifest

SMALL = """
name: Small
users: [{id: U0ANA00001, name: ana, real_name: Ana}]
channels: [{id: C0ROOM0001, name: room, members: [ana, helper]}]
apps: [{name: helper, manifest: app.json}]
"""


def write(tmp_path, text, manifest="{}"):
    (tmp_path / "app.json").write_text(manifest)
    (tmp_path / "w.yaml").write_text(text)
    return tmp_path / "w.yaml"


def test_a_workspace_comes_from_a_file_with_its_apps_manifest(tmp_path):
    found = load_workspace(write(tmp_path, SMALL, '{"display_information": {"name": "Helper"}}'))
    assert found.channels[0].members == ("ana", "helper")
    assert found.apps[0].manifest == {"display_information": {"name": "Helper"}}
    assert found.apps[0].bot_token.startswith("xoxb-")
    assert found.apps[0].app_token.startswith("xapp-1-A0APP00001-")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("members: [ana, helper]", "members: [ghost]", "unknown member: ghost"),
        ("id: U0ANA00001", "id: ana", "String should match pattern"),
        ("name: room", "name: The Room", "String should match pattern"),
        ("name: Small", "naem: Small", "Extra inputs are not permitted"),
        (
            "real_name: Ana}",
            "real_name: Ana}, {id: U0ANA00001, name: b, real_name: B}",
            "duplicate user id",
        ),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path, old, new, words):
    with pytest.raises(ValueError, match=words):
        load_workspace(write(tmp_path, SMALL.replace(old, new)))


def test_tokens_are_the_same_at_every_start():
    assert load_workspace().apps[0].bot_token == load_workspace().apps[0].bot_token


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"features": {"slash_commands": [{"command": "/Triage", "description": "x"}]}}, "lower-case"),
        ({"features": {"slash_commands": [{"command": "/" + "x" * 32, "description": "x"}]}}, "at most 32"),
        ({"features": {"slash_commands": [{"command": "/x"}]}}, "needs a description"),
        (
            {"features": {"shortcuts": [{"name": "x" * 25, "type": "message", "callback_id": "c"}]}},
            "1 to 24 characters",
        ),
        (
            {"features": {"shortcuts": [{"name": "x", "type": "other", "callback_id": "c"}]}},
            "message or global",
        ),
        ({"features": []}, None),
        ({"features": "x"}, "must be a mapping"),
    ],
)
def test_a_fault_in_a_manifest_is_named(manifest, words):
    if words is None:
        assert parse_manifest(manifest).commands == ()
        return
    with pytest.raises(ActError, match=words):
        parse_manifest(manifest)


async def test_two_apps_live_side_by_side(tmp_path):
    apps = """
apps:
  - {id: A0APP00001, name: one, bot_user: U0APP00001, bot_id: B0APP00001}
  - {id: A0APP00002, name: two, bot_user: U0APP00002, bot_id: B0APP00002}
"""
    text = SMALL.split("apps:", maxsplit=1)[0].replace("helper", "one, two") + apps
    async with LocalSlack(load_workspace(write(tmp_path, text))) as slack:
        tokens = [app.bot_token for app in slack.core.workspace.apps]
        async with httpx.AsyncClient(base_url=slack.api_url, timeout=60, trust_env=False) as http:

            async def call(token, method, **args):
                return (
                    await http.post(method, json=args, headers={"Authorization": f"Bearer {token}"})
                ).json()

            assert [(await call(t, "auth.test"))["user"] for t in tokens] == ["one", "two"]
            posted = await call(tokens[0], "chat.postMessage", channel="C0ROOM0001", text="x")
            other = await call(tokens[1], "chat.update", channel="C0ROOM0001", ts=posted["ts"], text="y")
            assert other["error"] == "cant_update_message"


async def test_the_command_prints_one_json_line_and_ends_when_told(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "localslack",
        "--port",
        "0",
        "--json",
        "--app-name",
        "helper",
        "--no-rate-limits",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    facts = json.loads(await process.stdout.readline())
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {facts['bot_token']}"}
        answer = (await http.post(f"{facts['api_url']}auth.test", headers=headers)).json()
        page = await http.get(facts["url"])
    assert answer["user"] == "helper"
    assert page.headers["content-type"].startswith("text/html")
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize("argv", [["--workspace", "missing.yaml"], ["--manifest", "missing.json"]])
def test_a_missing_file_is_one_line_and_a_failure(argv, capsys):
    assert main([*argv, "--port", "0"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line_that_says_how_to_go_on(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 2
    assert capsys.readouterr().err == f"localslack: port {port} is in use; `--port 0` picks a free one\n"
