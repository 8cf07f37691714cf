"""Items are ticked by members and waived by approvers, where everybody sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.rendering import Renderer
from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue
from bot.domain.intent import AskWhyNot, ShowChecklist, TickItem, UntickItem, WaiveItem
from bot.engine.plugins import Plugins, plugins_in
from bot.loader.probe_rules import checklist_problems
from bot.probes import gates
from bot.services.intent_handler import IntentHandler
from tests.support.worlds import ANA, BEN, BENCH, CHI, world_plugins

ITEMS = {
    "tests": {"probe": "worlds.measure", "expect": "result.value < 5"},
    "team_told": {},
    "legal": {"title": "Legal <agrees>"},
}


def catalogue(**items):
    entry = {"name": "checkout", "channel": "checkout-oncall", "gates": {"checklist": items or ITEMS}}
    return Catalogue.model_validate({"services": [entry, {"name": "payments"}]})


class Counter:
    """A desk before which people stand."""

    def __init__(self, world) -> None:
        self.world, self.checklists = world, world.stores.checklists
        plugins = Plugins(
            {**world_plugins().by_name, **{plugin.name: plugin for plugin in plugins_in(gates)}}
        )
        self.deps = replace(world.deps, catalogue=catalogue(), plugins=plugins)
        self.desk = IntentHandler(self.deps, directory=world.people, notifier=world.told)

    async def ask(self, kind, *, by=ANA, service="checkout", **more) -> str:
        given = {"key": "k", "at": self.world.clock.now(), "by": by, "channel": "C1"}
        await self.desk.handle(kind(**given, service=service, version="1.5.0", **more))
        return self.world.told.notices[-1].text

    async def kept(self) -> list[tuple[str, str, str]]:
        return [
            (mark.item, mark.kind, mark.by.id) for mark in await self.checklists.marks("checkout", "1.5.0")
        ]

    async def posted(self) -> list[str]:
        """What the service's channel is to be told."""
        topics = [hold.topic for hold in await self.world.store.board.claim(limit=9, lease_s=9)]
        assert all(topic == Topic(kind="checklist", id="checkout:1.5.0") for topic in topics)
        render = Renderer(self.world.stores, catalogue=self.deps.catalogue, clock=self.world.clock)
        rendered = [await render(topic) for topic in topics]
        assert all(one.channel == "checkout-oncall" for one in rendered)
        return [message.text for one in rendered for message in one.messages]


@pytest.fixture
def counter(world):
    world.people.groups["oncall"] = {CHI.id}
    BENCH.value = 1.0
    return Counter(world)


async def test_the_list_shows_what_is_done_by_whom_and_what_to_type_for_the_rest(counter):
    told = (await counter.ask(ShowChecklist)).splitlines()
    assert told == [
        "*Checklist of `checkout` 1.5.0*: 2 of 3 items are missing.",
        "✅ *Tests pass*: 1 errors",
        "⬜ *The team has been informed* → `/deploy tick checkout 1.5.0 team_told`",
        "⬜ *Legal &lt;agrees&gt;* → `/deploy tick checkout 1.5.0 legal`",
    ]
    BENCH.value = 7.0
    assert "🔴 *Tests pass*: 7 errors" in await counter.ask(ShowChecklist)
    assert "has no checklist" in await counter.ask(ShowChecklist, service="payments")


async def test_a_member_ticks_an_item_and_sees_what_is_still_missing(counter):
    told = await counter.ask(TickItem, item="team_told", note="in <!channel>")
    assert told.startswith("☑️ *The team has been informed* is ticked.\n")
    assert "1 of 3 items is missing" in told
    assert f"✅ *The team has been informed*: ticked by <@{ANA.id}>: in &lt;!channel&gt;" in told
    counter.world.people.outsiders.add(BEN.id)
    assert "you are a guest" in await counter.ask(TickItem, by=BEN, item="legal")
    assert await counter.kept() == [("team_told", "tick", ANA.id)]


async def test_what_a_probe_checks_no_person_ticks(counter):
    told = await counter.ask(TickItem, item="tests")
    assert "is checked by `worlds.measure`" in told
    assert "`/deploy waive checkout 1.5.0 tests <reason>`" in told
    assert await counter.kept() == []


async def test_only_an_approver_waives_an_item_and_the_channel_and_the_log_are_told(counter, caplog):
    refused = await counter.ask(WaiveItem, item="legal", reason="no time")
    assert "Only members of `oncall`" in refused
    assert (await counter.kept(), await counter.posted()) == ([], [])
    told = await counter.ask(WaiveItem, by=CHI, item="legal", reason="no <!here> time")
    assert "posted in #checkout-oncall" in told
    assert "does not count for deployments that you request yourself" in told
    (posted,) = await counter.posted()
    assert "Chika has waived Legal &lt;agrees&gt; for `checkout` 1.5.0.\n>no &lt;!here&gt; time" in posted
    (logged,) = [record for record in caplog.records if record.msg == "checklist_item_waived"]
    assert (logged.levelname, logged.item, logged.by) == ("WARNING", "legal", CHI.id)
    assert f"⚠️ *Legal &lt;agrees&gt;*: waived for others' deployments by <@{CHI.id}>" in (
        await counter.ask(ShowChecklist)
    )


async def test_everybody_may_take_back_their_own_word_and_nobody_elses(counter):
    assert "neither ticked nor waived `legal`" in await counter.ask(UntickItem, item="legal")
    await counter.ask(TickItem, item="legal", note="oops")
    assert "neither ticked nor waived" in await counter.ask(UntickItem, by=BEN, item="legal")
    for _ in range(2):  # delivered again, it is answered alike
        told = await counter.ask(UntickItem, item="legal")
        assert told.startswith(
            "↩️ You have withdrawn your tick of `legal`.\n*Checklist of `checkout` 1.5.0*: 2 of 3"
        )
    counter.world.clock.forward(1)
    assert "neither ticked nor waived" in await counter.ask(UntickItem, item="legal")
    assert await counter.posted() == []


async def test_a_waiver_that_is_taken_back_closes_the_gate_and_its_message_says_so(counter):
    await counter.ask(TickItem, item="team_told")
    await counter.ask(WaiveItem, by=CHI, item="legal", reason="no time")
    assert "*You may deploy `checkout` 1.5.0 now*" in await counter.ask(AskWhyNot)
    counter.world.clock.forward(1)
    await counter.ask(UntickItem, by=CHI, item="legal")
    assert "cannot be deployed now" in await counter.ask(AskWhyNot)
    (posted,) = await counter.posted()
    assert posted.startswith("↩️ Chika has withdrawn the waiver of Legal &lt;agrees&gt; for `checkout` 1.5.0.")


async def test_why_does_not_count_the_waiver_of_the_one_who_asks(counter):
    await counter.ask(TickItem, item="team_told")
    await counter.ask(WaiveItem, by=CHI, item="legal", reason="no time")
    assert "*You may deploy `checkout` 1.5.0 now*" in await counter.ask(AskWhyNot)
    own = await counter.ask(AskWhyNot, by=CHI)
    assert own.startswith("*`checkout` 1.5.0 cannot be deployed now*: 1 of 6 gates is closed.")
    assert "🔴 *checklist*" in own


async def test_why_names_the_missing_item_and_tells_a_waiver_without_closing_the_gate(counter):
    await counter.ask(TickItem, item="team_told")
    closed = await counter.ask(AskWhyNot)
    assert "🔴 *checklist*: Not done for 1.5.0: legal (1 of 3)." in closed
    await counter.ask(WaiveItem, by=CHI, item="legal", reason="no time")
    told = await counter.ask(AskWhyNot)
    assert told.startswith("*You may deploy `checkout` 1.5.0 now*")
    assert "WAIVED: legal by Chika, for others' deployments: no time" in told


async def test_an_item_that_the_catalogue_has_no_more_is_told_so(counter):
    assert "no longer has an item `gone`" in await counter.ask(TickItem, item="gone")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"probe": "worlds.mesure", "expect": "result"}, "did you mean `worlds.measure`?"),
        ({"probe": "worlds.act", "expect": "result"}, "no probe is called `worlds.act`"),
        ({"probe": "worlds.read", "expect": "result"}, "`with.name` of worlds.read: field required"),
        ({"probe": "worlds.read", "with": {"name": "{{ vers }}"}, "expect": "result"}, "vers"),
        ({"probe": "worlds.measure", "expect": "reslt.value"}, "did you mean `result`?"),
        ({"probe": "gates.all", "with": {"version": "1"}, "expect": "result"}, "would ask for this checklist again"),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_asked_is_told_before_anything_starts(counter, item, said):
    (problem,) = checklist_problems(catalogue(tests=item), plugins=counter.deps.plugins)
    assert problem.startswith("the checklist of checkout, tests: ")
    assert said in problem


def test_a_sound_checklist_has_no_problems(counter):
    assert checklist_problems(catalogue(), plugins=counter.deps.plugins) == ()
