"""A release comes with the commits that it brought: from a real repository, and from what answers as GitHub does.

https://docs.github.com/en/rest/commits/commits: "Compare two commits" and "Get a commit".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.diagnoses.change import Change
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings
from bot.probes.changes.probes import recent
from tests.plugins.probes.repositories import Repo
from tests.support.servers import Handler, answering, hanging, http_server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REPO = "/repos/acme/shop"


class Stopped:
    def now(self) -> datetime:
        return NOW


def released(after: str = "1.1", before: str = "1.0", *, minutes: float = 5) -> Change:
    return Change(
        id=f"release-{after}",
        at=NOW - timedelta(minutes=minutes),
        kind="deploy",
        service="checkout",
        summary=f"Deployed checkout {after}",
        before=before,
        after=after,
        data={"version": after, "previous_version": before},
    )


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path)
    made.change("checkout/bank.yaml", "name: bank\ntimeout_ms: 300\n", by="Ana", why="Begin", tag="v1.0")
    made.change("checkout/bank.yaml", "name: bank\ntimeout_ms: 5\n", by="Ben", why="Tidy up")
    made.change("docs/a b.md", "diff --git a/x b/x\n", by="Chi", why="Say it", tag="v1.1")
    return made


def only(found: Any) -> Finding:
    (finding,) = found.items
    return finding


@pytest.mark.parametrize("remote", [False, True])
async def test_a_release_comes_with_what_its_commits_change_line_by_line(
    context, repo: Repo, *, remote: bool
):
    ctx = context(repo.service(remote=remote), timeout_s=20, changes=[released()], clock=Stopped())
    found = await recent(ctx, service="checkout")
    data = only(found).data
    said, timeout = data["commits"]
    assert (said["message"], said["files"]) == ("Say it", ["docs/a b.md"])
    assert (timeout["author"], timeout["files"], timeout["whole"]) == ("Ben", ["checkout/bank.yaml"], True)
    assert timeout["diff"].splitlines()[-2:] == ["-timeout_ms: 300", "+timeout_ms: 5"]
    assert (data["commits_total"], data["commits_removed"], data["commits_complete"]) == (2, 0, True)
    assert found.gaps == ()


async def test_commits_that_touch_none_of_a_service_s_folders_are_none_of_its_release(context, repo: Repo):
    ctx = context(repo.service(paths="payments"), timeout_s=20, changes=[released()], clock=Stopped())
    data = only(await recent(ctx, service="checkout")).data
    assert (data["commits"], data["commits_total"], data["commits_complete"]) == ([], 0, True)


async def test_a_release_that_goes_back_says_how_many_commits_it_takes_away(context, repo: Repo):
    ctx = context(repo.service(), timeout_s=20, changes=[released("1.0", "1.1")], clock=Stopped())
    data = only(await recent(ctx, service="checkout")).data
    assert (data["commits"], data["commits_removed"]) == ([], 2)


async def test_a_long_diff_is_cut_between_lines_and_the_cut_is_a_gap(context, repo: Repo):
    repo.change("checkout/long.py", "x = 1\n" * 4000, by="Ana", why="Grow", tag="v1.2")
    ctx = context(repo.service(), timeout_s=20, changes=[released("1.2", "1.1")], clock=Stopped())
    found = await recent(ctx, service="checkout")
    (commit,) = only(found).data["commits"]
    assert 11_000 < len(commit["diff"]) <= 12_000
    assert commit["diff"].endswith("+x = 1\n")
    assert not commit["whole"]
    assert found.gaps == ("checkout: between 1.1 and 1.2, 0 of 1 commits were read completely",)


async def test_more_than_twenty_commits_and_seven_releases_are_cut_and_said(context, repo: Repo):
    for number in range(23):
        repo.change("checkout/n.py", f"{number}\n", by="Ana", why=f"Set {number}")
    repo.git("tag", "v2.0")
    changes = [released("2.0", "1.1")] + [
        released(f"1.{n}", f"1.{n - 1}", minutes=10 + n) for n in range(7, 1, -1)
    ]
    found = await recent(
        context(repo.service(), timeout_s=20, changes=changes, clock=Stopped()), service="checkout"
    )
    assert [commit["message"] for commit in found.items[0].data["commits"]] == [
        f"Set {number}" for number in range(22, 2, -1)
    ]
    assert "checkout: between 1.1 and 2.0, 20 of 23 commits were read completely" in found.gaps
    assert "checkout: the commits of an older release were not read" in found.gaps


async def test_a_repository_that_cannot_be_read_is_a_gap_and_the_release_is_told(context, tmp_path: Path):
    gone = {"name": "checkout", "sources": {"git": {"path": str(tmp_path / "gone")}}}
    found = await recent(context(gone, changes=[released()], clock=Stopped()), service="checkout")
    assert only(found).component == "1.1"
    assert "commits" not in only(found).data
    assert [gap.partition(": git")[0] for gap in found.gaps] == ["checkout: the commits between 1.0 and 1.1"]


async def test_who_does_not_want_the_commits_gets_none(context, repo: Repo):
    ctx = context(repo.service(), timeout_s=20, changes=[released()], clock=Stopped())
    assert "commits" not in only(await recent(ctx, service="checkout", commits=False)).data


def commit(sha: str, file: str, patch: str, *, parents: int = 1) -> dict[str, Any]:
    return {
        "sha": sha,
        "commit": {
            "message": f"Do {sha}\n\nAt length.",
            "author": {"name": "Noor", "date": "2026-03-01T10:00:00Z"},
        },
        "parents": [{"sha": "p"}] * parents,
        "files": [{"filename": file, "status": "modified", "patch": patch}],
    }


def compared(*commits: dict[str, Any], behind: int = 0) -> dict[str, Any]:
    """Answer as GitHub does: the commits oldest first without files, and the files of all."""
    listed = [{name: value for name, value in one.items() if name != "files"} for one in commits]
    files = [file for one in commits for file in one["files"]]
    return {"total_commits": len(listed), "behind_by": behind, "commits": listed, "files": files}


ONE = commit("aaaaaaa1", "checkout/bank.yaml", "@@ -2 +2 @@\n name: bank\n-timeout_ms: 300\n+timeout_ms: 5")
OTHER = commit("bbbbbbb2", "search/index.py", "@@ -1 +1 @@\n-a\n+b")
MERGE = commit("ccccccc3", "checkout/bank.yaml", "@@ -9 +9 @@\n-m\n+n", parents=2)


def checkout(url: str, **source: str) -> dict[str, Any]:
    where = {"url": url, "repository": "acme/shop", "tag_prefix": "v", **source}
    return {"name": "checkout", "sources": {"github": where}}


def github(answer: dict[str, Any], *commits: dict[str, Any]) -> dict[str, Handler]:
    single = {f"{REPO}/commits/{one['sha']}": answering(one) for one in commits}
    return {
        f"{REPO}/deployments": answering([]),
        f"{REPO}/compare/v1.0...v1.1": answering(answer),
        **single,
    }


async def test_one_commit_of_github_takes_one_question(context):
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query["per_page"])
        return web.json_response(compared(ONE))

    routes = {f"{REPO}/deployments": answering([]), f"{REPO}/compare/v1.0...v1.1": answer}
    async with http_server(routes) as url:
        found = await recent(
            context(checkout(url), changes=[released()], clock=Stopped()), service="checkout"
        )
    (told,) = only(found).data["commits"]
    assert told == {
        "sha": "aaaaaaa1", "author": "Noor", "at": "2026-03-01T10:00:00Z", "message": "Do aaaaaaa1",
        "files": ["checkout/bank.yaml"], "whole": True,
        "diff": "diff --git a/checkout/bank.yaml b/checkout/bank.yaml\n@@ -2 +2 @@\n name: bank\n-timeout_ms: 300\n+timeout_ms: 5\n",
    }  # fmt: skip
    assert (asked, found.gaps) == (["20"], ())


async def test_several_commits_of_github_are_read_one_by_one_without_merges_and_others_folders(context):
    routes = github(compared(ONE, OTHER, MERGE), ONE, OTHER)
    async with http_server(routes) as url:
        ctx = context(checkout(url, paths="checkout"), changes=[released()], clock=Stopped())
        data = only(await recent(ctx, service="checkout")).data
    assert [one["sha"] for one in data["commits"]] == ["aaaaaaa1"]
    assert (data["commits_total"], data["commits_complete"]) == (1, True)


async def test_a_commit_that_github_does_not_show_is_named_and_is_a_gap(context):
    async with http_server(github(compared(ONE, OTHER), ONE)) as url:
        found = await recent(
            context(checkout(url), changes=[released()], clock=Stopped()), service="checkout"
        )
    unread, read = only(found).data["commits"]
    assert (unread["sha"], unread["diff"], unread["whole"], read["whole"]) == ("bbbbbbb2", "", False, True)
    assert found.gaps == ("checkout: between 1.0 and 1.1, 1 of 2 commits were read completely",)


async def test_a_github_that_hangs_over_the_commits_costs_the_commits_alone(context):
    routes = {f"{REPO}/deployments": answering([]), f"{REPO}/compare/v1.0...v1.1": hanging}
    async with http_server(routes) as url:
        ctx = context(checkout(url), timeout_s=3, changes=[released()], clock=Stopped())
        found = await recent(ctx, service="checkout")
    assert only(found).component == "1.1"
    assert len(found.gaps) == 1


async def test_deployments_of_github_are_compared_by_their_whole_shas(context):
    old, new = "b" * 40, "d" * 40
    deployments = [
        {"id": number, "sha": sha, "environment": "production", "created_at": f"2026-03-01T{hour}:00:00Z"}
        for number, sha, hour in ((2, new, "11"), (1, old, "08"))
    ]
    states = answering([{"state": "success", "created_at": "2026-03-01T11:30:00Z"}])
    routes = {
        f"{REPO}/deployments": answering(deployments),
        **{f"{REPO}/deployments/{number}/statuses": states for number in (1, 2)},
        f"{REPO}/compare/{old}...{new}": answering(compared(ONE)),
    }
    async with http_server(routes) as url:
        found = await recent(context(checkout(url), clock=Stopped()), service="checkout")
    assert [one["sha"] for one in only(found).data["commits"]] == ["aaaaaaa1"]


async def test_what_a_repository_holds_is_what_the_diagnosis_names(context, repo: Repo):
    ctx = context(repo.service(), timeout_s=20, changes=[released()], clock=Stopped())
    lines = {
        "level": "ERROR",
        "samples": ["bank did not answer within 5 ms"],
        "mentions": {},
        "versions": {},
    }
    began_at = NOW - timedelta(minutes=4)
    seen = [
        Finding(
            id=f"{source}:{kind.value}:checkout", source=source, kind=kind, service="checkout", summary="It fails.",
            began_at=began_at, strength=0.9, evidence=(Evidence(text="it fails", value=0.5),), data=data,
        )
        for source, kind, data in (
            ("metrics", FindingKind.ERROR_RATE_UP, {"value": 0.5}),
            ("logs", FindingKind.LOG_ERRORS, lines),
        )
    ]  # fmt: skip
    diagnosis = rank_causes(
        service="checkout",
        catalogue=ctx.catalogue,
        results={
            "changes": await recent(ctx, service="checkout"),
            "metrics": Findings(items=tuple(seen[:1]), looked_at="metrics"),
            "logs": Findings(items=tuple(seen[1:]), looked_at="logs"),
        },
        now=NOW,
        since_s=1800,
    )
    assert (
        "(“Tidy up”), which lowers timeout_ms from 300 to 5; the log lines contain “within 5 ms”"
        in diagnosis.summary
    )
    assert diagnosis.causes[0].data["commit"] == repo.git("rev-parse", "--short=7", "v1.1~1").strip()
