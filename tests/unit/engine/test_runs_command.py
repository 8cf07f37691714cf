"""``pilothouse runs``: what happened is told from the journal, with nothing but Redis."""

from __future__ import annotations

import argparse
import dataclasses
import json

import pytest

from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.commands import runs
from bot.commands._archive import StoreDownError
from bot.domain.errors import NotFoundError
from bot.domain.intent import INTENT
from bot.domain.runs.journal import import_line
from bot.domain.runs.run import fold
from bot.engine.engine import Engine
from bot.services.intent_handler import IntentHandler
from tests.support.valkeys import fresh_valkey, opened
from tests.support.worlds import BEN, BENCH, CHI
from tests.unit.engine.small_world import act, book, fix, step

STORY = ({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b")]}, fix(act("go")))


@pytest.fixture
async def kept(world, monkeypatch):
    """Two runs in a real Valkey: one that ended, one that waits; no Slack setting at all."""
    for name in ("PILOTHOUSE_SLACK_BOT_TOKEN", "PILOTHOUSE_SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    async with fresh_valkey() as url, opened(url) as store:
        monkeypatch.setenv("PILOTHOUSE_REDIS_URL", url)
        world.store = RedisJournal(store)
        world.deps = dataclasses.replace(
            world.deps, stores=dataclasses.replace(world.stores, journal=world.store)
        )
        world.engine = Engine(world.deps)
        world.desk = IntentHandler(world.deps, directory=world.people, notifier=world.told)
        BENCH.down.add("b")
        run = await world.begin(book(*STORY), run_id="rab12")
        await world.vote(run, BEN)
        await world.go("rab12")
        await world.begin(book(*STORY), run_id="rab34")
        world.raw, world.inbox = store, RedisInbox(store)
        yield world


async def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    runs.configure(parser)
    return await runs.connected(parser.parse_args(words))


async def test_the_list_tells_state_and_outcome_and_can_be_narrowed(kept, capsys):
    assert await call("list") == 0
    told = capsys.readouterr().out
    assert [line.split()[:5] for line in told.splitlines()[1:]] == [
        ["rab34", "story", "checkout", "waiting", "2026-03-04T03:00:00+00:00"],
        ["rab12", "story", "checkout", "finished", "done"],
    ]
    await call("list", "--state", "finished", "--service", "checkout", "--json")
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["run"], row["outcome"], row["took_s"]) == ("rab12", "done", 0)
    await call("list", "--service", "payments", "--json")
    assert json.loads(capsys.readouterr().out) == []


async def test_a_run_is_told_fact_by_fact_and_found_by_the_beginning_of_its_id(kept, capsys):
    assert await call("show", "rab1") == 0
    told = capsys.readouterr().out
    for fact in (
        "requested by Ana",
        "b unavailable in",
        "b does not answer",
        "Ben: approve",
        "go is about to run",
    ):
        assert fact in told
    assert told.rstrip().endswith("rab12 is finished, done.")
    assert "\033" not in told
    await call("show", "rab12", "--events")
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (facts[0]["type"], facts[-1]["type"]) == ("run_started", "run_finished")
    await call("show", "rab12", "--json")
    assert json.loads(capsys.readouterr().out)["outcome"] == "done"


@pytest.mark.parametrize(
    ("word", "said"),
    [("rab", "2 runs begin with rab."), ("rba12", "No run begins with rba12 (did you mean `rab12`?).")],
)
async def test_an_id_that_is_not_clear_is_asked_back(kept, word, said):
    with pytest.raises(NotFoundError) as caught:
        await call("show", word)
    assert str(caught.value) == said


async def test_a_replay_prints_what_was_shown_and_changes_nothing(kept, capsys):
    before = await kept.raw.hash(kept.raw.keys.of("rab12").run("rab12"))
    assert await call("replay", "rab12") == 0
    told = capsys.readouterr().out
    assert "did go" in told
    assert "no problems." in told
    assert await kept.raw.hash(kept.raw.keys.of("rab12").run("rab12")) == before


async def test_an_export_holds_all_that_a_run_is_without_what_looks_like_a_secret(kept, capsys):
    secret = "xoxb-1234-abcdefgh"
    await kept.begin(book(*STORY, summary=f"Uses {secret}."), run_id="rc")
    assert await call("export", "--all") == 0
    out = capsys.readouterr().out
    assert secret not in out
    read = dict(import_line(line) for line in out.splitlines())
    assert list(read) == ["rab12", "rab34", "rc"]
    assert fold("rab12", read["rab12"]) == await kept.read("rab12")


async def test_a_cancellation_goes_through_the_inbox_and_says_who_and_why(kept, capsys):
    assert await call("cancel", "rab34", "--by", "Chika", "--why", "wrong service") == 0
    ((_, fields),) = await kept.raw.client.xrange(kept.raw.keys.shared.inbox)
    assert (await kept.read("rab34")).cancelled_by is None
    kept.people.outsiders.add(CHI.id)
    await kept.desk.handle(INTENT.validate_json(fields["intent"]))
    run = await kept.go("rab34")
    assert (run.outcome, run.summary) == ("cancelled", "Chika cancelled it: wrong service")
    assert kept.told.notices[-1:] == []
    with pytest.raises(NotFoundError, match="has already ended"):
        await call("cancel", "rab34", "--by", "Chika", "--why", "again")


async def test_a_store_that_is_away_is_told_with_a_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("PILOTHOUSE_REDIS_URL", f"unix://{tmp_path}/none.sock")
    with pytest.raises(StoreDownError):
        await call("list")
