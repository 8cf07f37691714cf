"""Only the catalogue's commands are run, without a shell, with the arguments as single words."""

from __future__ import annotations

import asyncio
import sys

import httpx
import pytest

from bot.actions import deploy as actions
from bot.domain.catalogue import Catalogue, Service
from bot.domain.errors import ActionFailedError, ActionInDoubtError, ProbeUnavailableError
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.probes import deploy as probes
from bot.targets.command import command_line
from bot.testing.stores import memory_context

SCRIPT = """
import os, pathlib, subprocess, sys, time
state = pathlib.Path(__file__).with_name("state")
word, *rest = sys.argv[1:]
if word == "version":
    print(state.read_text() if state.exists() else "1.4.1")
elif rest[-1] == "hang":
    subprocess.Popen([sys.executable, "-c", "import time, pathlib; time.sleep(2); pathlib.Path(%r).touch()" % str(state.with_name("late"))])
    time.sleep(30)
elif rest[-1] == "refuse":
    sys.exit("no such version")
else:
    state.write_text(rest[-1])
    state.with_name("env").write_text("\\n".join(f"{k}={v}" for k, v in os.environ.items()))
"""


@pytest.fixture
async def deployer(tmp_path):
    script = tmp_path / "deployer.py"
    script.write_text(SCRIPT, encoding="utf-8")
    begin = f"{sys.executable} {script}"
    where = {
        "version": f"{begin} version",
        "deploy": f"{begin} deploy {{service}} {{version}}",
        "rollback": f"{begin} rollback {{service}} {{version}}",
    }
    async with httpx.AsyncClient(timeout=60) as http:

        def make(*, timeout_s: float = 10, **more: str) -> Context:
            target = {"command": {name: line for name, line in {**where, **more}.items() if line}}
            return memory_context(
                catalogue=Catalogue(services=(Service(name="shop", target=target),)),
                http=http,
                effect=Effect(key="run1:deploy:1", epoch=7),
                timeout_s=timeout_s,
            )

        yield make


async def test_a_version_is_deployed_and_taken_back_by_commands(deployer):
    done = await actions.promote(deployer(), service="shop", version="1.4.2")
    assert done.before == {"version": "1.4.1"}
    assert (await probes.observe(deployer(), service="shop")).data["stable"]["version"] == "1.4.2"
    again = await actions.promote(deployer(), service="shop", version="1.4.2")
    assert not again.changed
    back = await actions.rollback(deployer(), service="shop", to_version=done.before["version"])
    assert back.change.data["serves"] == "1.4.1"
    assert (await probes.observe(deployer(), service="shop")).data["stable"]["version"] == "1.4.1"


async def test_the_undo_of_a_rollback_deploys_the_version_again(deployer):
    await actions.promote(deployer(), service="shop", version="1.4.2")
    back = await actions.rollback(deployer(), service="shop", to_version="1.4.1", version="1.4.2")
    await actions.reapply(deployer(), service="shop", version="1.4.2", before=back.before)
    assert (await probes.observe(deployer(), service="shop")).data["stable"]["version"] == "1.4.2"


async def test_a_command_that_is_not_in_the_catalogue_is_named(deployer):
    with pytest.raises(ActionFailedError, match="`command` of shop has no `deploy`"):
        await actions.promote(deployer(deploy=""), service="shop", version="1.4.2")


async def test_a_command_is_told_its_key_and_none_of_the_bots_secrets(deployer, monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTHOUSE_SLACK_BOT_TOKEN", "xoxb-secret")
    await actions.promote(deployer(), service="shop", version="1.4.2")
    told = (tmp_path / "env").read_text(encoding="utf-8")
    assert "IDEMPOTENCY_KEY=run1:deploy:1" in told
    assert "FENCING_TOKEN=7" in told
    assert "secret" not in told


async def test_a_command_that_fails_says_why(deployer):
    with pytest.raises(ActionFailedError, match="no such version"):
        await actions.promote(deployer(), service="shop", version="refuse")


async def test_a_command_that_hangs_is_ended_with_all_it_started_and_leaves_doubt(deployer, tmp_path):
    with pytest.raises(ActionInDoubtError) as caught:
        await actions.promote(deployer(timeout_s=1.5), service="shop", version="hang")
    assert caught.value.code == "not_in_time"
    await asyncio.sleep(2.5)  # real time: what it started would have left its mark by then
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("version", ["--force", "1;reboot", "$(id)", "1 2", "a\nb", "", "../x"])
async def test_an_argument_that_is_no_version_is_refused_before_anything_runs(deployer, version, tmp_path):
    with pytest.raises(ActionFailedError):
        await actions.promote(deployer(), service="shop", version=version)
    assert not (tmp_path / "state").exists()


def test_an_argument_stays_one_word_and_a_command_asks_for_nothing_unknown():
    assert command_line("run 'a b' v={version}", {"version": "1.2"}) == ["run", "a b", "v=1.2"]
    with pytest.raises(ActionFailedError, match="secret"):
        command_line("run {secret}", {"version": "1.2"})


async def test_a_program_that_is_not_there_is_unavailable(deployer):
    with pytest.raises(ProbeUnavailableError):
        await probes.observe(deployer(version="/nowhere/tool version"), service="shop")


async def test_without_a_command_for_it_there_is_no_way_back(deployer):
    way = await probes.rollback_path(deployer(), service="shop", version="1.4.2")
    assert way.data["rollback"]["verdict"] == "safe"
    way = await probes.rollback_path(deployer(rollback=""), service="shop", version="1.4.2")
    assert way.data["rollback"]["verdict"] == "impossible"
