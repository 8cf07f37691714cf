"""What another version would change is read where it stands, and what cannot be read is told so."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue
from bot.domain.deployments.deployment import Deployment
from bot.domain.diagnoses.change import Change
from bot.domain.intent import ShowDelivery, ShowDiff
from bot.engine.plugins import Plugins, plugins_in
from bot.probes import deploy
from bot.probes.changes import probes as changes
from bot.probes.git import probes as git
from bot.services.intent_handler import IntentHandler
from tests.support.worlds import ANA
from tests.unit.engine.small_world import World

COMMITS = ["Begin", "v1.0", "Ask the bank <twice>", "v1.1", "Pay `faster`", "Be done", "v1.2"]


@dataclass
class Counter:
    """A desk before which people stand, the record behind it, and the repository of the service."""

    world: World
    desk: IntentHandler

    async def ask(self, version: str = "", *, by=ANA) -> str:
        at = self.world.clock.now()
        await self.desk.handle(
            ShowDiff(key="k", at=at, by=by, channel="C1", service="checkout", version=version)
        )
        notice = self.world.told.notices[-1]
        assert (notice.user, notice.channel) == (by.id, "C1")
        return notice.text

    async def deployed(
        self, version: str, *, before: str = "", minutes_ago: float, outcome="succeeded"
    ) -> None:
        at = self.world.clock.now() - timedelta(minutes=minutes_ago)
        await self.world.stores.deployments.record(
            Deployment(
                id=version,
                service="checkout",
                strategy="canary",
                version=version,
                previous_version=before,
                requested_by=ANA,
                requested_at=at,
                started_at=at,
                finished_at=at,
                outcome=outcome,
                changed=True,
            )
        )

    async def configured(self, summary: str, *, minutes_ago: float) -> None:
        at = self.world.clock.now() - timedelta(minutes=minutes_ago)
        change = Change(id=summary, at=at, kind="config", service="checkout", summary=summary, after="x")
        await self.desk._deps.stores.ledger.record(change)


@pytest.fixture
def counter(world: World, tmp_path: Path) -> Counter:
    def run(*words: str) -> None:
        told = ["git", "-C", str(tmp_path), "-c", "user.name=Ben & Co", "-c", "user.email=b@shop", *words]
        subprocess.run(told, check=True, capture_output=True)

    run("init", "-q")
    for said in COMMITS:
        if said.startswith("v"):
            run("tag", said)
        else:
            (tmp_path / "a.py").write_text(said)
            run("add", ".")
            run("commit", "-q", "-m", said)
    catalogue = Catalogue.model_validate(
        {"services": [{"name": "checkout", "sources": {"git": {"path": str(tmp_path), "tag_prefix": "v"}}}]}
    )
    plugins = Plugins({p.name: p for module in (git, changes, deploy) for p in plugins_in(module)})
    deps = replace(world.deps, catalogue=catalogue, plugins=plugins)
    return Counter(world, IntentHandler(deps, directory=world.people, notifier=world.told))


async def test_what_a_version_would_change_is_told_from_the_one_that_was_deployed_last(counter: Counter):
    await counter.deployed("1.1", minutes_ago=60)
    await counter.deployed("1.2", minutes_ago=30, outcome="rolled_back")
    await counter.configured("timeout of checkout is 3 s now", minutes_ago=20)
    await counter.configured("long before", minutes_ago=90)
    lines = (await counter.ask("1.2")).splitlines()
    assert lines[0] == "*checkout*: `1.1` → `1.2` would change:"
    assert lines[1] == "• 2 commits new:"
    assert [line.split("` ")[1] for line in lines[2:4]] == [
        "Be done (Ben &amp; Co)", "Pay 'faster' (Ben &amp; Co)",
    ]  # fmt: skip
    assert lines[4:6] == ["• By Ben &amp; Co (2)", "• Files changed: 1; lines added: 1, deleted: 1"]
    assert lines[6] == "• Settings and flags changed since then: 1"
    assert "timeout of checkout is 3 s now" in lines[7]


async def test_going_back_says_what_goes_away(counter: Counter):
    await counter.deployed("1.2", minutes_ago=60)
    told = await counter.ask("1.0")
    assert "• 3 commits removed:" in told
    assert "Ask the bank &lt;twice&gt;" in told


async def test_without_a_version_it_is_what_the_latest_deployment_did(counter: Counter):
    await counter.deployed("1.1", minutes_ago=60)
    await counter.deployed("1.2", before="1.1", minutes_ago=30)
    await counter.configured("between the two", minutes_ago=45)
    told = await counter.ask()
    assert told.startswith("*checkout*: `1.1` → `1.2` has changed:\n• 2 commits new:")
    assert "between the two" in told


async def test_the_version_that_serves_changes_nothing(counter: Counter):
    await counter.deployed("1.1", minutes_ago=60)
    assert "nothing would change" in await counter.ask("1.1")


async def test_a_version_that_has_no_tag_is_no_empty_difference(counter: Counter):
    await counter.deployed("1.1", minutes_ago=60)
    told = await counter.ask("9.9")
    assert "• Commits: not known. The repository has no tag for one of these versions." in told
    assert "• Settings and flags: not known. Nothing records changes of checkout" in told


@pytest.mark.parametrize("version", ["", "1.2"])
async def test_where_nothing_is_known_it_says_what_to_do(counter: Counter, version: str):
    told = await counter.ask(version)
    assert "I do not know which version of `checkout` to compare with." in told
    assert "/deploy diff checkout <version>" in told or "no record of a deployment" in told


async def test_guests_are_answered_nothing_but_that(counter: Counter):
    await counter.deployed("1.1", minutes_ago=60)
    counter.world.people.outsiders.add(ANA.id)
    assert "1.1" not in await counter.ask("1.2")


async def test_figures_are_a_message_for_all_and_the_same_question_is_the_same_message(counter: Counter):
    asked = ShowDelivery(
        key="k", at=counter.world.clock.now(), by=ANA, channel="C1", service="checkout", days=7
    )
    for _ in range(2):
        await counter.desk.handle(asked)
    (hold,) = await counter.world.store.board.claim(limit=9, lease_s=10)
    at_s = int(counter.world.clock.now().timestamp())
    assert hold.topic == Topic(kind="delivery", id=f"checkout:7:{at_s}:C1")
    assert counter.world.told.notices == []
