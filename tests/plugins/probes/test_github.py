"""GitHub's deployments and Actions runs, against a server that answers in the documented shapes.

https://docs.github.com/en/rest/deployments/deployments, .../deployments/statuses and .../actions/workflow-runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.domain.diagnoses.change import Change
from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.changes.probes import recent
from bot.probes.github.probes import deployments, runs
from tests.support.servers import Handler, answering, http_server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REPO = "/repos/acme/shop"


class Stopped:
    def now(self) -> datetime:
        return NOW


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def deployment(number: int, minutes: float, sha: str) -> dict[str, Any]:
    return {
        "id": number,
        "sha": sha,
        "ref": "main",
        "task": "deploy",
        "environment": "production",
        "created_at": ago(minutes),
        "creator": {"login": "mira", "id": 1},
    }


def statuses(*states: tuple[str, float]) -> list[dict[str, Any]]:
    """List states with their age in minutes, newest first."""
    return [
        {"state": state, "created_at": ago(minutes), "log_url": "https://ci.example/7", "target_url": ""}
        for state, minutes in states
    ]


def github(
    listed: Sequence[dict[str, Any]], states: Mapping[int, list[dict[str, Any]]], asked: list[web.Request]
) -> dict[str, Handler]:
    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.json_response(listed)

    told = {f"{REPO}/deployments/{number}/statuses": answering(said) for number, said in states.items()}
    return {f"{REPO}/deployments": answer, **told}


def shop(url: str, **source: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"github": {"url": url, "repository": "acme/shop", **source}}}


LISTED = [
    deployment(4, 5, "d" * 40),
    deployment(3, 20, "c" * 40),
    deployment(2, 300, "b" * 40),
    deployment(1, 600, "a" * 40),
]
STATES = {
    4: statuses(("success", 2), ("in_progress", 4), ("queued", 5)),
    3: statuses(("failure", 18), ("in_progress", 19)),
    2: statuses(("inactive", 2), ("success", 298)),
}


async def test_a_deployment_is_a_change_from_the_last_version_that_arrived(context):
    asked: list[web.Request] = []
    async with http_server(github(LISTED, STATES, asked)) as url:
        ctx = context(shop(f"{url}/", token="hunter2"), clock=Stopped())
        found = await deployments(ctx, service="shop")
    arrived, failed = found.items
    assert (arrived.kind, arrived.component) == (FindingKind.CHANGE_DEPLOY, "ddddddd")
    # Number 3 failed: what number 4 replaced is number 2, which is older than the hour.
    assert (arrived.data["version"], arrived.data["previous_version"]) == ("ddddddd", "bbbbbbb")
    assert arrived.began_at == NOW - timedelta(minutes=4)
    assert arrived.data["author"] == "mira"
    assert arrived.evidence[0].url == "https://ci.example/7"
    assert (failed.kind, failed.data["state"]) == (FindingKind.CHANGE_OTHER, "failure")
    assert asked[0].headers["Authorization"] == "Bearer hunter2"
    assert asked[0].query["environment"] == "production"


async def test_the_changes_of_a_service_tell_of_them_once_beside_what_the_bot_itself_did(context):
    own = Change(
        id="effect-1",
        at=NOW - timedelta(minutes=4),
        kind="deploy",
        service="shop",
        summary="Deployed shop",
        before="bbbbbbb",
        after="ddddddd",
        data={"version": "ddddddd"},
    )
    async with http_server(github(LISTED, STATES, [])) as url:
        found = await recent(context(shop(url), changes=[own], clock=Stopped()), service="shop")
    assert [f.data["change_id"] for f in found.items] == ["github-4", "github-3"]


async def test_no_deployment_in_the_window_asks_for_no_status(context):
    async with http_server(github(LISTED[2:], {}, [])) as url:
        found = await deployments(context(shop(url), clock=Stopped()), service="shop")
    assert (found.items, found.normal) == ((), ("shop: no deployment",))


def run(number: int, conclusion: str | None, branch: str = "main") -> dict[str, Any]:
    return {
        "id": number,
        "name": "build",
        "head_branch": branch,
        "head_sha": f"{number:040x}",
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "html_url": f"https://github.example/runs/{number}",
        "created_at": ago(number),
        "actor": {"login": "noor"},
    }


async def test_failed_runs_are_counted_and_the_last_is_named_with_who_and_sha(context):
    asked: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        listed = [
            run(5, None),
            run(4, "timed_out"),
            run(3, "success"),
            run(2, "failure"),
            run(1, "cancelled"),
        ]
        return web.json_response({"total_count": 130, "workflow_runs": listed})

    async with http_server({f"{REPO}/actions/runs": answer}) as url:
        seen = await runs(context(shop(url), clock=Stopped()), service="shop", branch="main", window_s=3600)
    assert seen.value == 2
    assert asked == [{"created": ">=2026-03-01T11:00:00+00:00", "per_page": "100", "branch": "main"}]
    assert seen.text == (
        "shop: 2 of 5 Actions runs failed, the last (build, 0000000 on main by noor) at 11:56:00 UTC, in 1 h"
    )
    assert [f["who"] for f in seen.data["failures"]] == ["noor", "noor"]
    assert (seen.data["runs"], seen.data["read"], seen.data["running"]) == (130, 5, 1)


async def test_a_token_that_does_not_fit_and_a_spent_allowance_are_told_apart(context):
    async def spent(_: web.Request) -> web.Response:
        return web.json_response({"message": "x"}, status=403, headers={"x-ratelimit-remaining": "0"})

    routes = {
        f"/a{REPO}/actions/runs": answering({"message": "Bad credentials"}, status=401),
        f"/b{REPO}/actions/runs": spent,
        f"/c{REPO}/actions/runs": answering({"message": "Not Found"}, status=404),
    }
    async with http_server(routes) as url:
        for place, said in (
            ("a", "denied the bot access"),
            ("b", "limiting the bot's requests"),
            ("c", "answered 404"),
        ):
            with pytest.raises(ProbeUnavailableError, match=said) as failed:
                await runs(context(shop(f"{url}/{place}", token="hunter2")), service="shop")
            assert "hunter2" not in str(failed.value) + failed.value.hint


@pytest.mark.parametrize(
    "said", ["<html>", "{}", '[{"id": "x"}]', '{"total_count": 1, "workflow_runs": [{}]}']
)
async def test_what_is_no_github_is_garbage(context, said):
    routes = {f"{REPO}/deployments": answering(said), f"{REPO}/actions/runs": answering(said)}
    async with http_server(routes) as url:
        for ask in (deployments, runs):
            with pytest.raises(ProbeGarbageError):
                await ask(context(shop(url)), service="shop")


@pytest.mark.parametrize("source", [{}, {"repository": "shop"}, {"repository": "a/b/../../c"}])
async def test_without_a_repository_it_is_not_configured(context, source):
    entry = {"name": "shop", "sources": {"github": source}}
    for ask in (deployments, runs):
        with pytest.raises(ProbeNotConfiguredError):
            await ask(context(entry), service="shop")
