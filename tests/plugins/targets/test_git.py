"""Versions are committed to a real Git repository and reverted there, whoever else pushes."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import httpx
import pytest

from bot.actions import deploy as actions
from bot.domain.catalogue import Catalogue, Service
from bot.domain.errors import ActionFailedError, ActionInDoubtError, ProbeUnavailableError
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.probes import deploy as probes
from bot.targets.git.target import GitTarget
from bot.targets.git.version_file import version_in, with_version
from bot.targets.registry import target_of
from bot.testing.stores import memory_context

FILE = "environments/production/checkout.yaml"
TEXT = """\
# what runs in production
image:
  name: shop   # do not touch
  tag: 1.4.1   # the bot writes this
replicas: 3
"""


class Repo:
    """A bare remote with one file, somebody else's clone of it, and the folder for the bot's."""

    def __init__(self, folder: Path) -> None:
        self.remote, self.other, self.clone = (
            folder / "remote.git",
            folder / "other",
            folder / "state" / "bot",
        )
        self.git("init", "-q", "--bare", "-b", "main", str(self.remote), at=folder)
        self.git("clone", "-q", str(self.remote), str(self.other), at=folder)
        self.effects = 0
        (self.other / FILE).parent.mkdir(parents=True)
        (self.other / FILE).write_text(TEXT, encoding="utf-8")
        self.push_of_somebody_else("first")

    def git(self, *words: str, at: Path | None = None) -> str:
        command = ["git", "-c", "user.name=Ana", "-c", "user.email=ana@shop", *words]
        ran = subprocess.run(command, cwd=at or self.other, check=True, capture_output=True, text=True)
        return ran.stdout

    def push_of_somebody_else(self, name: str) -> None:
        if name != "first":
            self.git("pull", "-q", "--rebase")
        (self.other / f"{name}.txt").write_text(name, encoding="utf-8")
        self.git("add", ".")
        self.git("commit", "-q", "-m", name)
        self.git("push", "-q", "origin", "HEAD:main")

    def show(self, what: str = f"main:{FILE}") -> str:
        return (
            self.git("show", "-s", "--format=%B", what, at=self.remote)
            if ":" not in what
            else self.git("show", what, at=self.remote)
        )

    def commits(self) -> int:
        return int(self.git("rev-list", "--count", "main", at=self.remote))

    def ctx(self, http: httpx.AsyncClient, *, again: bool = False, timeout_s: float = 30) -> Context:
        self.effects += not again
        where = {"remote": str(self.remote), "clone": str(self.clone), "file": FILE, "key": "image.tag"}
        service = Service(name="checkout", target={"git": where})
        return memory_context(
            catalogue=Catalogue(services=(service,)),
            http=http,
            effect=Effect(key=f"run1:deploy.git:{self.effects}", epoch=3),
            timeout_s=timeout_s,
        )


@pytest.fixture
def repo(tmp_path):
    return Repo(tmp_path)


@pytest.fixture
async def http():
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


async def test_a_version_is_committed_and_nothing_else_in_the_file_changes(repo, http):
    done = await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    assert repo.show() == TEXT.replace("1.4.1", "1.4.2")
    assert done.before == {"version": "1.4.1"}
    assert (
        "Pilothouse-Effect: run1:deploy.git:1\nPilothouse-Version: 1.4.2\nPilothouse-Epoch: 3"
        in repo.show("main")
    )
    seen = await probes.observe(repo.ctx(http), service="checkout")
    assert seen.data["stable"]["version"] == "1.4.2"
    assert not seen.data["can"]["shift"]


async def test_the_same_effect_is_pushed_once_even_when_others_pushed_since(repo, http):
    first = await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    repo.push_of_somebody_else("later")
    await actions.promote(repo.ctx(http), service="checkout", version="1.4.3")
    count = repo.commits()
    repo.effects = 1
    again = await actions.promote(repo.ctx(http, again=True), service="checkout", version="1.4.2")
    assert again.after == first.after
    assert repo.commits() == count
    assert version_in(repo.show(), "image.tag") == "1.4.3"


async def test_a_key_is_not_mistaken_for_another_that_begins_alike(repo, http):
    await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    repo.effects = 9
    await actions.promote(
        repo.ctx(http), service="checkout", version="1.4.3"
    )  # its key begins as that of effect 1
    assert version_in(repo.show(), "image.tag") == "1.4.3"


async def test_a_rollback_reverts_in_git_so_that_the_next_sync_redeploys_nothing(repo, http):
    done = await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    repo.push_of_somebody_else("meanwhile")
    back = await actions.rollback(repo.ctx(http), service="checkout", to_version=done.before["version"])
    assert repo.show() == TEXT
    assert f"This reverts commit {done.after['commit']}." in repo.show("main")
    assert (back.change.kind, back.change.data["serves"]) == ("rollback", "1.4.1")
    again = await actions.rollback(repo.ctx(http), service="checkout", to_version="1.4.1")
    assert not again.changed
    assert repo.git("show", "main:meanwhile.txt", at=repo.remote) == "meanwhile"


async def test_the_undo_of_a_rollback_commits_the_version_again(repo, http):
    await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    back = await actions.rollback(repo.ctx(http), service="checkout", to_version="1.4.1", version="1.4.2")
    again = await actions.reapply(repo.ctx(http), service="checkout", version="1.4.2", before=back.before)
    assert version_in(repo.show(), "image.tag") == "1.4.2"
    assert again.change.data["serves"] == "1.4.2"


async def test_the_undo_of_a_rollback_of_which_nothing_is_known_is_refused(repo, http):
    with pytest.raises(ActionFailedError) as caught:
        await actions.reapply(repo.ctx(http), service="checkout", version="1.4.2", before={})
    assert caught.value.code == "before_unknown"


async def test_a_rollback_to_an_unknown_version_is_refused(repo, http):
    with pytest.raises(ActionFailedError) as caught:
        await actions.rollback(repo.ctx(http), service="checkout")
    assert caught.value.code == "nothing_to_revert"


async def test_a_push_that_somebody_else_overtook_is_tried_again_and_loses_nothing(repo, http):
    target = target_of(repo.ctx(http), "checkout")
    assert isinstance(target, GitTarget)
    repository, fetched = target._location.repository, []

    class Overtaken(type(repository)):
        async def fetch(self) -> str:
            head = await super().fetch()
            if len(fetched) < 2:
                repo.push_of_somebody_else(f"overtaking{len(fetched)}")
            fetched.append(head)
            return head

    fields = {name: getattr(repository, name) for name in ("remote", "branch", "clone", "until_s")}
    target._location = type(target._location)(repository=Overtaken(**fields), file=FILE, key="image.tag")
    await target.promote("1.4.2", keep_warm=False)
    assert len(fetched) == 3
    assert repo.commits() == 4
    assert version_in(repo.show(), "image.tag") == "1.4.2"


async def test_many_at_once_on_one_clone_all_arrive(repo, http):
    contexts = [repo.ctx(http) for _ in range(3)]
    await asyncio.gather(
        *(
            actions.promote(ctx, service="checkout", version=f"2.0.{number}")
            for number, ctx in enumerate(contexts)
        )
    )
    assert repo.commits() == 4


async def test_the_way_back_is_known_once_the_bot_deployed_and_nothing_is_changed_by_asking(repo, http):
    count = repo.commits()
    way = (await probes.rollback_path(repo.ctx(http), service="checkout", version="1.4.1")).data
    assert way["rollback"]["verdict"] == "impossible"
    await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    way = (await probes.rollback_path(repo.ctx(http), service="checkout", version="1.4.2")).data
    assert way["rollback"] == {
        "verdict": "safe",
        "step": "",
        "because": "the revert to 1.4.1 applies cleanly",
    }
    assert repo.commits() == count + 1


async def test_a_remote_that_takes_no_push_is_known_before_anything_starts(repo, http):
    hook = repo.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    with pytest.raises(ActionFailedError) as caught:
        await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    assert caught.value.code == "target_refused"
    assert repo.show() == TEXT


async def test_a_remote_that_is_gone_is_unavailable(repo, http):
    repo.remote.rename(repo.remote.with_name("gone.git"))
    with pytest.raises(ProbeUnavailableError):
        await probes.observe(repo.ctx(http), service="checkout")
    with pytest.raises(ActionFailedError) as caught:
        await actions.promote(repo.ctx(http), service="checkout", version="1.4.2")
    assert caught.value.code == "target_unavailable"


async def test_a_git_that_hangs_is_ended_and_leaves_doubt(repo, http):
    hook = repo.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nsleep 30\n", encoding="utf-8")
    hook.chmod(0o755)
    with pytest.raises(ActionInDoubtError):
        await actions.promote(repo.ctx(http, timeout_s=2), service="checkout", version="1.4.2")


async def test_traffic_cannot_be_shifted_in_git(repo, http):
    with pytest.raises(ActionFailedError) as caught:
        await actions.shift(repo.ctx(http), service="checkout", version="1.4.2", percent=5)
    assert caught.value.code == "not_supported"


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("tag: 1.4.1\n", "1.10", 'tag: "1.10"\n'),
        ("tag: '1.4.1' # so\n", "1.4.2", "tag: '1.4.2' # so\n"),
        ('{"tag": "1.4.1", "n": 1}', "1.4.2", '{"tag": "1.4.2", "n": 1}'),
        ("tag: 1.4.1", "2026-01-01", 'tag: "2026-01-01"'),
    ],
)
def test_a_version_is_written_so_that_it_reads_as_text(text, version, expected):
    assert with_version(text, "tag", version) == expected


@pytest.mark.parametrize("text", ["", "a: [", "tag: {x: 1}", "other: 1", "- tag"])
def test_a_file_without_the_key_is_refused(text):
    with pytest.raises(ActionFailedError):
        with_version(text, "tag", "1.4.2")


@pytest.mark.parametrize("version", ["1\nreplicas: 0", 'x" y', "a: b", "x # y"])
def test_a_version_that_is_more_than_a_version_changes_no_other_key(version):
    try:
        changed = with_version(TEXT, "image.tag", version)
    except ActionFailedError:
        return
    assert version_in(changed, "image.tag") == version
    assert version_in(changed, "replicas") == "3"
