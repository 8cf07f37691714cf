"""Locks, hand-overs and removals are announced once, in the channel of the service that they concern."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bot.adapters.rendering import Renderer
from bot.adapters.slack.writer import RenderedTopic
from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue
from bot.domain.intent import HandOverLocks, LockDeploys, UnlockDeploys
from bot.services.intent_handler import IntentHandler
from bot.views.locks import lock_messages
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.engine.small_world import World
from tests.unit.views.oracle import assert_valid_message

CATALOGUE = Catalogue.model_validate(
    {"services": [{"name": "checkout", "channel": "checkout-oncall"}, {"name": "payments"}]}
)


@dataclass
class Counter:
    """A desk before which people stand, and what the channels are told."""

    world: World
    desk: IntentHandler

    async def ask(self, kind, *, by=ANA, key="k", **more):
        self.world.clock.forward(60)
        at = self.world.clock.now()
        await self.desk.handle(kind(key=key, at=at, by=by, channel="C1", thread="1.0", **more))

    async def lock(self, *, by=ANA, service="checkout", reason="the <!here> fair", **more):
        await self.ask(LockDeploys, by=by, service=service, reason=reason, seconds=7200, **more)

    async def topics(self) -> list[Topic]:
        return [hold.topic for hold in await self.world.store.board.claim(limit=9, lease_s=0)]

    async def told(self) -> list[RenderedTopic]:
        render = Renderer(self.world.stores, catalogue=CATALOGUE, clock=self.world.clock)
        found = [await render(topic) for topic in await self.topics()]
        for message in (message for one in found for message in one.messages):
            assert_valid_message(message)
        return found


@pytest.fixture
def counter(world):
    world.people.groups["oncall"] = {CHI.id}
    deps = replace(world.deps, catalogue=CATALOGUE)
    return Counter(world, IntentHandler(deps, directory=world.people, notifier=world.told))


async def test_a_lock_is_told_in_the_channel_of_its_service(counter):
    await counter.lock()
    (told,) = await counter.told()
    assert told.channel == "checkout-oncall"
    (message,) = told.messages
    until = "2026-03-04 05:01 UTC"
    assert message.text == f"🔒 Ana locked `checkout` until {until}: the &lt;!here&gt; fair."


async def test_a_hand_over_and_a_removal_are_told_where_the_lock_was_and_the_channel_sees_them(counter):
    await counter.lock()
    await counter.ask(HandOverLocks, to=BEN.id, key="over")
    await counter.ask(UnlockDeploys, by=CHI, service="checkout", key="off")
    (told,) = await counter.told()
    head, over, off = told.messages
    assert [line.split(" at ")[0] for line in head.text.split("\n")[1:]] == [
        f"handed over to {BEN.id} by Ana",
        "unlocked by Chika",
    ]
    assert over.text.startswith(f"🔒 Ana handed the lock on `checkout` to {BEN.id}. It lasts until")
    assert off.text.startswith(f"🔓 Chika removed the lock of {BEN.id} on `checkout`. The reason was: the")
    assert f"<@{BEN.id}>" in str(off.blocks)
    assert (head.broadcast, over.broadcast, off.broadcast) == (False, True, True)


async def test_the_owner_who_unlocks_is_not_told_who_locked(counter):
    await counter.lock()
    await counter.ask(UnlockDeploys, service="checkout", key="off")
    (told,) = await counter.told()
    assert told.messages[1].text == "🔓 Ana unlocked `checkout`. It can be deployed again."


async def test_the_same_request_delivered_twice_is_told_once(counter):
    at = counter.world.clock.now()
    for _ in range(2):
        intent = LockDeploys(
            key="k", at=at, by=ANA, channel="C1", service="checkout", reason="fair", seconds=60
        )
        await counter.desk.handle(intent)
    (told,) = await counter.told()
    assert len(told.messages) == 1


async def test_a_refused_lock_and_a_refused_removal_are_not_told(counter):
    await counter.lock()
    (before,) = await counter.told()
    await counter.lock(by=BEN, key="second")
    await counter.ask(UnlockDeploys, by=BEN, service="checkout", key="third")
    (after,) = await counter.told()
    assert after == before


async def test_each_lock_of_a_hand_over_is_told_by_itself(counter):
    for service in ("checkout", "payments"):
        await counter.lock(service=service, key=service)
    await counter.ask(HandOverLocks, to=BEN.id, key="over")
    told = await counter.told()
    assert sorted(one.channel for one in told) == ["", "checkout-oncall"]
    assert [len(one.messages) for one in told] == [2, 2]


def test_what_is_no_longer_kept_has_no_message():
    assert lock_messages(()) == ()
