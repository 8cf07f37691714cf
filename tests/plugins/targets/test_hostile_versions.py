"""A version, flag, route or key that is more than a name breaks out of nothing that it is written into."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import yaml
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.catalogue import Catalogue, Service
from bot.domain.errors import ActionFailedError, ActionInDoubtError, ProbeUnavailableError
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context, scan
from bot.probes.prometheus.probes import tallies
from bot.targets.command import command_line
from bot.targets.git.target import GitTarget
from bot.targets.git.version_file import version_in, with_version
from bot.targets.haproxy.runtime_socket import RuntimeSocket
from bot.targets.registry import target_of
from bot.targets.support.http_effects import path_segment
from bot.targets.support.launcher import Launcher
from bot.testing.stores import memory_context
from tests.support.servers import http_server

LINES = (
    "1\nPilothouse-Effect: r1:other:1",
    "1\r\nX-Fencing-Token: 9",
    "1\x00",
    "1\u2028x",
    "\n",
    "-rf",
    " 1",
)
WORDS = (
    "1: 2",
    "1'",
    '1"',
    "$(touch pwned)",
    "`id`",
    "../../x",
    "1;x",
    "1 # x",
    "a, b",
    "{x: 1}",
    "ä",
    "\U0001f600",
)
STYLES = (
    "tag: 1.0 # so\nreplicas: 3\n",
    "tag: '1.0' # so\nreplicas: 3\n",
    'tag: "1.0" # so\nreplicas: 3\n',
    "{tag: 1.0, replicas: 3}\n",
    '{"tag": "1.0", "replicas": 3}\n',
    "tag: |\n  1.0\nreplicas: 3\n",
    "tag: >-\n  1.0\nreplicas: 3\n",
    "tag: &a 1.0\nreplicas: 3\n",
    "tag: !!str 1.0\nreplicas: 3\n",
)
DEPLOY = ("stage", "shift", "promote", "unstage", "retire", "replace", "reapply")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.mark.parametrize("version", LINES)
def test_no_action_takes_more_than_a_line(version: str):
    plugins = scan("bot.actions", third_parties=False)
    more = {"shift": {"percent": 1}, "replace": {"instances": ["a"]}, "reapply": {"before": {}}}
    for name in DEPLOY:
        with pytest.raises(ValidationError):
            plugins.get(f"deploy.{name}").check({"service": "s", "version": version, **more.get(name, {})})
    for given_as in ({"to_version": version}, {"version": version}):
        with pytest.raises(ValidationError):
            plugins.get("deploy.rollback").check({"service": "s", **given_as})
    with pytest.raises(ValidationError):
        plugins.get("deploy.restore").check({"service": "s", "versions": {"a": version}})


@pytest.mark.parametrize("route", ["acme\n", "acme;disable server x/y", "a b", "", "x" * 129])
def test_no_route_takes_more_than_a_name(route: str):
    plugin = scan("bot.actions", third_parties=False).get("deploy.shift")
    with pytest.raises(ValidationError):
        plugin.check({"service": "s", "version": "1", "percent": 1, "routes": [route]})


@pytest.mark.parametrize("text", STYLES)
@given(
    version=st.text(max_size=20)
    | st.sampled_from([*LINES, *WORDS, "1.10", "null", "2026-01-01", "on", "0x1"])
)
def test_a_version_in_a_file_changes_that_value_and_nothing_else(text: str, version: str):
    try:
        changed = with_version(text, "tag", version)
    except ActionFailedError:
        return
    assert version_in(changed, "tag") == version
    assert yaml.safe_load(changed) == {"tag": version, "replicas": 3}


@pytest.mark.parametrize("text", STYLES[:5])
@pytest.mark.parametrize("version", WORDS)
def test_quotes_colons_and_the_like_are_quoted_rather_than_refused(text: str, version: str):
    assert yaml.safe_load(with_version(text, "tag", version)) == {"tag": version, "replicas": 3}


def _git(*words: str, at: Path) -> str:
    command = ["git", "-c", "user.name=Ana", "-c", "user.email=ana@shop", *words]
    return subprocess.run(command, cwd=at, check=True, capture_output=True, text=True).stdout


def _remote(folder: Path) -> Path:
    _git("init", "-q", "-b", "main", "work", at=folder)
    (folder / "work" / "app.yaml").write_text("tag: 1.0\nreplicas: 3\n")
    _git("add", ".", at=folder / "work")
    _git("commit", "-q", "-m", "Begin", at=folder / "work")
    _git("clone", "-q", "--bare", "work", "remote.git", at=folder)
    return folder / "remote.git"


def _git_target(folder: Path, http: httpx.AsyncClient) -> GitTarget:
    where = {"remote": str(_remote(folder)), "clone": str(folder / "c"), "file": "app.yaml", "key": "tag"}
    ctx = memory_context(
        catalogue=Catalogue(services=(Service(name="checkout", target={"git": where}),)),
        http=http,
        effect=Effect(key="r1:commit:1", epoch=3),
        timeout_s=30,
    )
    target = target_of(ctx, "checkout")
    assert isinstance(target, GitTarget)
    return target


@pytest.mark.parametrize("version", LINES)
async def test_a_commit_message_cannot_be_given_a_trailer(http, tmp_path: Path, version: str):
    target = _git_target(tmp_path, http)
    with pytest.raises(ActionFailedError, match="cannot be a version"):
        await target.promote(version, keep_warm=False)
    assert _git("rev-list", "--count", "main", at=tmp_path / "remote.git").strip() == "1"


async def test_a_version_with_every_sign_of_a_shell_is_one_commit_that_can_be_found_again(
    http, tmp_path: Path
):
    target = _git_target(tmp_path, http)
    version = "release/1.0 $(touch pwned) '\"; rm -rf . #: [a] {b} ^.*"
    await target.promote(version, keep_warm=False)
    remote = tmp_path / "remote.git"
    assert yaml.safe_load(_git("show", "main:app.yaml", at=remote)) == {"tag": version, "replicas": 3}
    trailers = _git("log", "-1", "--format=%(trailers:only)", "main", at=remote).strip().splitlines()
    assert trailers == [
        "Pilothouse-Effect: r1:commit:1",
        f"Pilothouse-Version: {version}",
        "Pilothouse-Epoch: 3",
    ]
    again = await target.promote(version, keep_warm=False)
    assert again.after["version"] == version
    assert _git("rev-list", "--count", "main", at=remote).strip() == "2"
    assert "pwned" not in _git("ls-files", "--others", at=tmp_path / "work")
    assert not (tmp_path / "pwned").exists()  # a look, not a wait


@pytest.mark.parametrize("argument", [*LINES, *WORDS, "1.4\n", "", "x" * 129])
def test_an_argument_of_a_command_stays_one_word(argument: str):
    with pytest.raises(ActionFailedError, match="cannot be the version of a command"):
        command_line("deploy {version}", {"version": argument})


@given(argument=st.text(max_size=30))
def test_whatever_a_command_takes_is_one_word_and_no_option(argument: str):
    try:
        line = command_line("deploy --to={version} {version}", {"version": argument})
    except ActionFailedError:
        return
    assert line == ["deploy", f"--to={argument}", argument]
    assert argument[0].isalnum()
    assert argument.isascii()
    assert not set(argument) & set(" \n\t;|&$`'\"\\/<>")


@pytest.mark.parametrize("line", ["x;y", "x\ny", "x\ry", "x <<\ny", "x << y", "x\\;y", "x\x00"])
async def test_a_command_for_haproxy_stays_one_command(line: str, tmp_path: Path):
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.close()

    async with await asyncio.start_unix_server(listen, tmp_path / "s"):
        runtime = RuntimeSocket(address=str(tmp_path / "s"), backend="shop", timeout_s=5)
        for sending in (runtime.send(["show stat", line]), runtime.ask(line)):
            with pytest.raises(ActionFailedError, match="not one command"):
                await sending
        assert heard == []
        await runtime.send(["show stat", "show info"])
        assert heard == [b"show stat;show info\n"]


@pytest.mark.parametrize("version", WORDS)
async def test_a_launcher_gets_the_version_in_its_body_and_a_plain_key(http, version: str):
    seen: list[tuple[str, str, object]] = []

    async def start(request: web.Request) -> web.Response:
        body = await request.json()
        seen.append((request.path, request.headers["Idempotency-Key"], body["version"]))
        return web.json_response({})

    async with http_server({"/launch/shop/canary": start}) as url:
        ctx = _with_effect(http)
        await Launcher(ctx=ctx, url=f"{url}/launch", service="shop").start("canary", version)
    ((path, key, got),) = seen
    assert (path, got) == ("/launch/shop/canary", version)
    assert key.isascii()
    assert key.isprintable()


async def test_the_key_of_a_usual_version_is_as_it_was(http):
    keys: list[str] = []

    async def start(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        return web.json_response({})

    async with http_server({"/launch/shop/canary": start}) as url:
        launcher = Launcher(ctx=_with_effect(http), url=f"{url}/launch", service="shop")
        for version in ("1.4.2", "1.0.0-rc.1+b_7", "release/1", "sha256:ab"):
            await launcher.start("canary", version)
    assert [key.removeprefix("r1:stage:1:canary:") for key in keys] == [
        "1.4.2", "1.0.0-rc.1+b_7", "release/1", "sha256:ab",
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["1\n2", "1\r2"])
async def test_a_launcher_is_sent_no_header_of_a_versions_own(http, version: str):
    async def start(request: web.Request) -> web.Response:
        assert request.headers["X-Fencing-Token"] == "1"
        return web.json_response({})

    async with http_server({"/launch/shop/canary": start}) as url:
        launcher = Launcher(ctx=_with_effect(http), url=f"{url}/launch", service="shop")
        try:
            await launcher.start("canary", version)
        except (ActionFailedError, ActionInDoubtError):
            pytest.fail("the line break is escaped, so that the request is a plain one")


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_a_key_that_is_another_folder_is_no_part_of_an_address(key: str):
    with pytest.raises(ActionFailedError):
        path_segment(key)


@given(key=st.text(min_size=1, max_size=20))
def test_any_other_key_is_one_segment_of_a_path(key: str):
    if key in (".", "..") or any(0xD800 <= ord(sign) < 0xE000 for sign in key):
        return
    assert not set(path_segment(key)) & set("/?#&\n ")


@pytest.mark.parametrize("version", ['1"} or up{x="', "1'", "1\\", "1\n", "`"])
async def test_a_version_cannot_end_the_quotes_of_a_query(http, version: str):
    asked: list[str] = []

    async def query(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})

    async with http_server({"/api/v1/query": query}) as url:
        source = {
            "url": url,
            "by_version.requests": 'r{v="$version"}',
            "by_version.failures": 'f{v="$version"}',
        }
        ctx = memory_context(
            catalogue=Catalogue(services=(Service(name="shop", sources={"prometheus": source}),)),
            http=http,
            timeout_s=10,
        )
        with pytest.raises(ProbeUnavailableError, match="cannot be part of a query"):
            await tallies(ctx, service="shop", canary=version, stable="1")
    assert asked == []


def _with_effect(http: httpx.AsyncClient) -> Context:
    return memory_context(
        catalogue=Catalogue(services=(Service(name="shop"),)),
        http=http,
        effect=Effect(key="r1:stage:1", epoch=1),
        timeout_s=10,
    )
