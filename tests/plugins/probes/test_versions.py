"""Whether a version exists is looked up where it may be known; a source that is down refuses nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.domain.diagnoses.change import Change
from bot.probes.versions import probes
from tests.plugins.probes.repositories import Repo
from tests.support.servers import answering, http_server

HAPROXY = {"socket": "/nonexistent/socket", "backend": "shop", "stable": "blue", "candidate": "canary"}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path)
    for version in ("1.4.0", "1.4.1", "1.5.0"):
        made.change("a.py", version, by="Ana", why=version, tag=f"v{version}")
    return made


async def look(ctx, version: str, **more: str) -> dict[str, Any]:
    return (await probes.check(ctx, service="checkout", version=version, **more)).data


@pytest.mark.parametrize("remote", [False, True])
async def test_a_tag_in_git_shows_that_a_version_exists(context, repo: Repo, *, remote: bool):
    ctx = context(repo.service(remote=remote))
    assert await look(ctx, "1.5.0") == {"known": True, "nearest": [], "gaps": [], "remark": ""}
    missing = await look(ctx, "1.5.1")
    assert missing["known"] is False
    assert missing["nearest"] == ["1.5.0", "1.4.1", "1.4.0"]
    assert missing["remark"] == "There is no checkout `1.5.1`. Did you mean `1.5.0`, `1.4.1` or `1.4.0`?"


async def test_a_commit_has_no_tag_and_is_not_refused(context, repo: Repo):
    commit = repo.git("rev-parse", "HEAD").strip()[:10]
    assert (await look(context(repo.service()), commit))["known"] is None


async def test_a_repository_that_cannot_be_read_refuses_nothing_and_the_plan_says_so(context, tmp_path: Path):
    where = {"url": str(tmp_path / "gone"), "clone": str(tmp_path / "clone")}
    found = await look(context({"name": "checkout", "sources": {"git": where}}), "9.9.9")
    assert found["known"] is None
    assert found["remark"].startswith(
        "Nobody could check that 9.9.9 exists: Git: git could not list the tags"
    )


async def test_a_launcher_that_lists_its_releases_rules_out_the_others(context):
    routes = {
        "/launch/checkout": answering({"releases": ["1.4.0", "1.5.0"]}),
        "/launch/checkout/blue": answering({"version": "1.4.0", "state": "running"}),
        "/launch/checkout/canary": answering({"version": "", "state": "stopped"}),
    }
    async with http_server(routes) as url:
        target = {
            "command": {
                "version": "echo 1.4.0",
                "deploy": "true {version}",
                "versions": "printf '1.4.0\\n1.5.0'",
            }
        }
        haproxy = {"haproxy": {**HAPROXY, "launch": f"{url}/launch"}}
        ctx = context({"name": "checkout", "target": {**target, **haproxy}})
        assert (await look(ctx, "1.5.0"))["known"] is True
        assert (await look(ctx, "9.9.9", by="command"))["known"] is False
        down = await look(ctx, "9.9.9")  # HAProxy does not answer, so what runs is not known
        assert down["known"] is None
        assert "HAProxy's socket" in down["remark"]


@pytest.mark.parametrize("answer", [{"releases": 7}, {"other": []}, []])
async def test_a_launcher_that_answers_with_something_else_refuses_nothing(context, answer: object):
    async with http_server({"/launch/checkout": answering(answer)}) as url:
        ctx = context({"name": "checkout", "target": {"haproxy": {**HAPROXY, "launch": f"{url}/launch"}}})
        found = await look(ctx, "9.9.9")
    assert found["known"] is None
    assert found["gaps"]


async def test_a_command_lists_its_versions_or_is_not_asked_for_them(context):
    lists = {"version": "echo 1.4.0", "versions": "printf '1.4.0\\n1.5.0\\n'"}
    for more, known in ((lists, False), ({"version": "echo 1.4.0"}, None)):
        ctx = context({"name": "checkout", "target": {"command": more}})
        assert (await look(ctx, "9.9.9"))["known"] is known
        assert (await look(ctx, "1.4.0"))["known"] is True


async def test_a_command_that_fails_refuses_nothing(context):
    ctx = context({"name": "checkout", "target": {"command": {"version": "echo 1", "versions": "false"}}})
    found = await look(ctx, "9.9.9")
    assert found["known"] is None
    assert "exited with code 1" in found["gaps"][0]


async def test_a_flag_is_the_one_of_the_catalogue_and_has_no_tag(context, repo: Repo):
    service = {**repo.service(), "target": {"flags": {"flag": "new-cart"}}}
    ctx = context(service)
    assert (await look(ctx, "new-cart", by="flags"))["known"] is True
    other = await look(ctx, "new-card", by="flags")
    assert (other["known"], other["nearest"][0]) == (False, "new-cart")


async def test_the_tags_of_a_registry_count(context):
    asked: list[str] = []

    async def tags(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        return web.json_response({"name": "shop/checkout", "tags": ["v1.4.0", "v1.5.0", "sha-1"]})

    async with http_server({"/v2/shop/checkout/tags/list": tags}) as url:
        source = {"url": url, "repository": "shop/checkout", "tag_prefix": "v", "token": "t"}
        ctx = context({"name": "checkout", "sources": {"registry": source}})
        assert (await look(ctx, "1.5.0"))["known"] is True
        missing = await look(ctx, "1.5.1")
    assert (missing["known"], missing["nearest"]) == (False, ["1.5.0", "1.4.0"])
    assert set(asked) == {"Bearer t"}


@pytest.mark.parametrize(
    ("status", "body"), [(401, {}), (404, {}), (500, {}), (200, {"tags": 7}), (200, "not json")]
)
async def test_a_registry_that_cannot_be_read_refuses_nothing(context, status: int, body: object):
    async with http_server({"/v2/c/tags/list": answering(body, status=status)}) as url:
        source = {"url": url, "repository": "c", "password": "secret", "user": "u"}
        found = await look(context({"name": "checkout", "sources": {"registry": source}}), "9.9.9")
    assert found["known"] is None
    assert found["gaps"]
    assert "secret" not in str(found)


async def test_a_full_page_of_a_registry_is_not_all_there_is(context):
    body = {"tags": [f"1.0.{number}" for number in range(1000)]}
    async with http_server({"/v2/c/tags/list": answering(body)}) as url:
        ctx = context({"name": "checkout", "sources": {"registry": {"url": url, "repository": "c"}}})
        assert (await look(ctx, "9.9.9"))["known"] is None


async def test_a_tag_on_github_counts_and_one_older_than_the_latest_hundred_too(context):
    async def refs(request: web.Request) -> web.Response:
        known = request.match_info["tag"] == "v0.1.0"
        return web.json_response(
            [{"ref": "refs/tags/v0.1.0"}] if known else [{"ref": "refs/tags/v9.9.9-rc1"}]
        )

    routes = {
        "/repos/acme/shop/tags": answering([{"name": "v1.5.0"}, {"name": "v1.4.0"}]),
        "/repos/acme/shop/git/matching-refs/tags/{tag}": refs,
    }
    async with http_server(routes) as url:
        source = {"repository": "acme/shop", "url": url, "tag_prefix": "v"}
        ctx = context({"name": "checkout", "sources": {"github": source}})
        assert [(await look(ctx, one))["known"] for one in ("1.5.0", "0.1.0", "9.9.9")] == [True, True, False]


async def test_what_was_deployed_once_exists_in_every_environment(context):
    record = Change(
        id="c",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        kind="deploy",
        service="checkout@staging",
        summary="x",
        before="1.3.9",
        data={"version": "1.4.0", "serves": "1.4.0"},
    )
    target = {"command": {"version": "echo 1.0", "versions": "echo 1.0"}}
    checkout = {"name": "checkout", "target": target, "environments": {"staging": {}}}
    ctx = context(checkout, changes=[record])
    assert [(await look(ctx, one))["known"] for one in ("1.4.0", "1.3.9", "1.4.1")] == [True, True, False]


async def test_a_source_that_never_answers_ends_with_the_steps_time_and_hides_no_other(context, repo: Repo):
    hangs = asyncio.Event()

    async def silent(_: web.Request) -> web.Response:
        await hangs.wait()
        return web.json_response({})

    async with http_server({"/v2/c/tags/list": silent}) as url:
        service = repo.service()
        service["sources"]["registry"] = {"url": url, "repository": "c"}
        ctx = context(service, timeout_s=1.0)
        assert (await look(ctx, "1.5.0"))["known"] is True
        found = await look(ctx, "9.9.9")
        hangs.set()
    assert found["known"] is None
    assert "registry" in found["remark"]


async def test_a_service_of_which_nothing_is_known_takes_any_version(context):
    found = await look(context({"name": "checkout"}), "9.9.9")
    assert (found["known"], found["remark"]) == (None, "Nobody could check that 9.9.9 exists.")
