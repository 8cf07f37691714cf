"""A deployment of a version that does not exist is refused in private, before anything starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.catalogue import Catalogue, Service
from bot.domain.intent import StartRun
from bot.domain.runs.event import Origin
from bot.engine.plugins import scan
from bot.loader.loader import load_runbooks
from bot.services.intent_handler import IntentHandler
from bot.services.parsing.command_line import parse_words
from bot.services.run_starter import run_id_of
from tests.plugins.probes.repositories import Repo
from tests.support.worlds import ANA

ROOT = Path(__file__).parents[3]
LISTS = {"version": "echo 1.4.0", "deploy": "true {version}", "versions": "printf '1.4.0\\n1.5.0\\n'"}
STRATEGIES = ("deploy-canary", "deploy-blue-green", "deploy-rolling", "deploy-migrate")


def desk_of(world, sources=None, **target) -> IntentHandler:
    plugins = scan("bot.probes", "bot.actions", third_parties=False)
    catalogue = Catalogue(services=(Service(name="checkout", target=target, sources=sources or {}),))
    library = load_runbooks([ROOT / "runbooks"], plugins=plugins)
    deps = replace(world.deps, catalogue=catalogue, plugins=plugins, library=library)
    return IntentHandler(deps, directory=world.people, notifier=world.told)


async def ask(world, desk, runbook: str, words: str, *, key: str = "k") -> None:
    catalogue, library = desk._deps.catalogue, desk._deps.library
    params = parse_words(library.get(runbook), words, catalogue=catalogue)
    origin = Origin(kind="command", channel="C1")
    await desk.handle(
        StartRun(key=key, at=world.clock.now(), runbook=runbook, params=params, by=ANA, origin=origin)
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_no_strategy_starts_for_a_version_that_does_not_exist(world, strategy: str):
    await ask(world, desk_of(world, command=LISTS), strategy, "checkout 9.9.9")
    assert await world.store.recent() == ()
    (notice,) = world.told.notices
    assert (notice.user, notice.channel) == (ANA.id, "C1")
    assert (
        notice.text == "There is no checkout `9.9.9`. Did you mean `1.5.0` or `1.4.0`? Nothing was started."
    )


async def test_a_commit_to_git_is_refused_for_a_version_without_a_tag(world, tmp_path: Path):
    repo = Repo(tmp_path)
    repo.change("production.yaml", "tag: 1.4.0\n", by="Ana", why="Begin", tag="v1.4.0")
    git = {"remote": str(repo.folder), "file": "production.yaml", "key": "tag", "clone": str(tmp_path / "c")}
    desk = desk_of(world, sources=repo.service()["sources"], git=git)
    await ask(world, desk, "deploy-gitops", "checkout 1.5.0")
    assert world.told.notices[0].text.startswith("There is no checkout `1.5.0`. Did you mean `1.4.0`?")
    assert await world.store.recent() == ()


async def test_one_that_exists_starts_and_so_does_any_where_nothing_lists_them(world):
    await ask(world, desk_of(world, command=LISTS), "deploy-canary", "checkout 1.5.0")
    unlisted = {name: value for name, value in LISTS.items() if name != "versions"}
    await ask(world, desk_of(world, command=unlisted), "deploy-canary", "checkout 9.9.9", key="k2")
    await ask(world, desk_of(world), "deploy-canary", "checkout 9.9.9", key="k3")
    assert set(await world.store.recent()) == {run_id_of(key) for key in ("k", "k2", "k3")}
    assert world.told.notices == []


async def test_a_rollback_to_a_version_that_does_not_exist_is_refused_and_one_without_a_version_is_not(world):
    desk = desk_of(world, command={**LISTS, "rollback": "true {version}"})
    await ask(world, desk, "rollback", "checkout to 9.9.9")
    assert await world.store.recent() == ()
    assert "There is no checkout `9.9.9`" in world.told.notices[0].text
    await ask(world, desk, "rollback", "checkout", key="k2")
    assert await world.store.recent() == (run_id_of("k2"),)


async def test_a_flag_of_another_name_is_refused_with_the_right_one(world):
    desk = desk_of(world, flags={"flag": "new-cart"})
    await ask(world, desk, "deploy-flag", "checkout new-card")
    assert world.told.notices[0].text.startswith("There is no checkout `new-card`. Did you mean `new-cart`")
    await ask(world, desk, "deploy-flag", "checkout new-cart", key="k2")
    assert await world.store.recent() == (run_id_of("k2"),)


async def test_a_redelivered_request_is_not_refused_after_its_run_has_started(world):
    await ask(world, desk_of(world, command=LISTS), "deploy-canary", "checkout 1.5.0")
    gone = {**LISTS, "versions": "echo 1.4.0"}
    await ask(world, desk_of(world, command=gone), "deploy-canary", "checkout 1.5.0")
    assert world.told.notices == []
    assert await world.store.recent() == (run_id_of("k"),)
