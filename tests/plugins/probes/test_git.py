"""What lies between two versions is read from a real repository, which stays as it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.git import probes
from tests.plugins.probes.repositories import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path)
    made.change("checkout/a.py", "one\n", by="Ana", why="Begin", tag="v1.0")
    made.change("checkout/a.py", "one\ntwo\n", by="Ana", why="Add two")
    made.change("checkout/b.py", "b\n", by="Ben", why="Add b; <!channel> $(touch x)")
    made.change("payments/p.py", "p\n", by="Chi", why="Pay", tag="v1.1")
    return made


@pytest.mark.parametrize("remote", [False, True])
async def test_commits_authors_and_files_between_two_versions_are_told(context, repo: Repo, *, remote: bool):
    ctx = context(repo.service(remote=remote), timeout_s=20)
    data = (await probes.between(ctx, service="checkout", before="1.0", after="1.1")).data
    assert [commit["summary"] for commit in data["added"]] == [
        "Pay",
        "Add b; <!channel> $(touch x)",
        "Add two",
    ]
    assert (data["added_count"], data["removed_count"], data["removed"]) == (3, 0, [])
    assert data["authors"] == {"Chi": 1, "Ben": 1, "Ana": 1}
    assert data["files"] == {
        "changed": 3, "added": 3, "deleted": 0, "most": ["checkout/a.py", "checkout/b.py", "payments/p.py"],
    }  # fmt: skip


async def test_going_back_takes_commits_away(context, repo: Repo):
    data = (
        await probes.between(
            context(repo.service(), timeout_s=20), service="checkout", before="1.1", after="1.0"
        )
    ).data
    assert (data["added_count"], data["removed_count"]) == (0, 3)


async def test_only_the_folders_of_a_service_count_where_it_has_some(context, repo: Repo):
    ctx = context(repo.service(paths="checkout"), timeout_s=20)
    data = (await probes.between(ctx, service="checkout", before="1.0", after="1.1")).data
    assert [commit["author"] for commit in data["added"]] == ["Ben", "Ana"]
    assert data["files"]["changed"] == 2


async def test_a_version_without_a_tag_is_told_so(context, repo: Repo):
    for remote in (False, True):
        ctx = context(repo.service(remote=remote), timeout_s=20)
        with pytest.raises(ProbeUnavailableError) as refused:
            await probes.between(ctx, service="checkout", before="1.0", after="9.9")
        assert refused.value.code == "version_unknown"


@pytest.mark.parametrize("version", ["", "--upload-pack=touch x", "1.0..1.1", "1.0 1.1", "../x", "1.0\n1.1"])
async def test_what_is_no_version_never_reaches_git(context, repo: Repo, version: str):
    with pytest.raises(ProbeUnavailableError, match="is not a valid version"):
        await probes.between(context(repo.service()), service="checkout", before="1.0", after=version)


async def test_the_repository_of_others_stays_as_it_is_and_the_clone_keeps_nothing_of_a_question(
    context, repo: Repo
):
    before = repo.git("for-each-ref")
    for remote in (False, True):
        ctx = context(repo.service(remote=remote), timeout_s=20)
        await probes.between(ctx, service="checkout", before="1.0", after="1.1")
    assert repo.git("for-each-ref") == before
    assert repo.git("--git-dir", str(repo.clone), "for-each-ref") == ""


async def test_many_may_read_one_clone_at_once(context, repo: Repo):
    ctx = context(repo.service(remote=True), timeout_s=40)
    asked = [probes.between(ctx, service="checkout", before="1.0", after="1.1") for _ in range(4)]
    assert {told.data["added_count"] for told in await asyncio.gather(*asked)} == {3}


async def test_a_repository_that_is_away_is_no_empty_difference(context, repo: Repo, tmp_path: Path):
    for where in (
        {"path": str(tmp_path / "gone")},
        {"url": str(tmp_path / "gone"), "clone": str(repo.clone)},
    ):
        ctx = context({"name": "checkout", "sources": {"git": where}}, timeout_s=20)
        with pytest.raises(ProbeUnavailableError):
            await probes.between(ctx, service="checkout", before="1.0", after="1.1")


@pytest.mark.parametrize(
    "where", [{"tag_prefix": "v"}, {"url": "u"}, {"path": "p", "url": "u", "clone": "c"}]
)
async def test_a_source_that_names_no_repository_is_not_set_up(context, where: dict[str, str]):
    ctx = context({"name": "checkout", "sources": {"git": where}})
    with pytest.raises(ProbeNotConfiguredError):
        await probes.between(ctx, service="checkout", before="1.0", after="1.1")


async def test_who_hangs_is_given_up_in_time(context, repo: Repo, tmp_path: Path):
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until whoever asked has gone, without a word
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    where = {"url": f"http://127.0.0.1:{port}/x.git", "clone": str(tmp_path / "c")}
    ctx = context({"name": "checkout", "sources": {"git": where}}, timeout_s=2)
    with pytest.raises(ProbeUnavailableError):
        await probes.between(ctx, service="checkout", before="1.0", after="1.1")
    server.close()
    await server.wait_closed()
