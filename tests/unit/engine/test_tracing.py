"""A run is one trace, whoever carried it, and the trace says what the journal says."""

from __future__ import annotations

import dataclasses

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.adapters.observability.observed import ObservedJournal, Observers
from bot.adapters.observability.tracing import Traces
from bot.engine.engine import Engine
from bot.views.exports.spans import spans_of
from tests.support.worlds import BEN, BENCH
from tests.unit.engine.small_world import UNDO, act, book, fix, step


class Team:
    """Workers that share a store and tell their spans to one place."""

    def __init__(self, world):
        self.world, self.exporter = world, InMemorySpanExporter()

    def worker(self, name):
        processor, load = SimpleSpanProcessor(self.exporter), self.world.store.load
        self.traces = traces = Traces(processor, self.world.clock, load=load, worker=name)
        journal = ObservedJournal(self.world.store, Observers(traces))
        return Engine(
            dataclasses.replace(
                self.world.deps, stores=dataclasses.replace(self.world.stores, journal=journal)
            )
        )

    def spans(self, name):
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@pytest.fixture
async def told(world):
    """A run that one worker began, that waited a minute, and that another one ended."""
    team = Team(world)
    BENCH.down.add("b")
    phases = ({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b")]}, fix(act("go", undo=UNDO)))
    world.engine = team.worker("w1")
    run = await world.begin(book(*phases))
    world.clock.forward(60)
    await world.vote(run, BEN)
    world.engine = team.worker("w2")
    assert (await world.go()).outcome == "done"
    await team.traces.settled()
    return team


def test_a_run_that_two_workers_carried_is_one_trace(told):
    spans = told.exporter.get_finished_spans()
    assert len({span.context.trace_id for span in spans}) == 1
    assert len({span.context.span_id for span in spans}) == len(spans)
    carried = told.spans("carried")
    assert [dict(span.attributes) for span in carried] == [
        {"pilothouse.epoch": 1, "pilothouse.let_go": "parked"},
        {"pilothouse.epoch": 2, "pilothouse.let_go": "finished"},
    ]
    assert [span.resource.attributes["service.instance.id"] for span in carried] == ["w1", "w2"]


def test_every_span_hangs_from_the_run_through_spans_that_exist(told):
    spans = {span.context.span_id: span for span in told.exporter.get_finished_spans()}
    (root,) = [span for span in spans.values() if span.parent is None]
    assert (root.name, root.attributes["pilothouse.service"]) == ("story", "checkout")
    assert all(span.parent.span_id in spans for span in spans.values() if span is not root)
    assert all(root.start_time <= span.end_time <= root.end_time for span in spans.values())


def test_steps_tell_their_plugin_their_outcome_and_their_effect(told):
    (good,), (bad,), (acted,) = told.spans("a"), told.spans("b"), told.spans("go")
    assert dict(good.attributes) == {"pilothouse.outcome": "ok", "pilothouse.plugin": "worlds.read"}
    assert (good.status.is_ok, bad.status.is_ok) == (True, False)
    assert bad.attributes["pilothouse.outcome"] == "unavailable"
    assert (acted.attributes["pilothouse.plugin"], acted.attributes["pilothouse.epoch"]) == ("worlds.act", 2)


def test_an_approval_is_as_long_as_people_took(told):
    (span,) = told.spans("approval")
    assert span.end_time - span.start_time == 60 * 10**9
    assert span.attributes["pilothouse.outcome"] == "approved"


async def test_telling_a_journal_twice_tells_the_same_spans(told):
    events = await told.world.store.load("r1")
    assert spans_of("r1", events) == spans_of("r1", events)
    with pytest.raises(ValueError, match="does not begin"):
        spans_of("r1", events[1:])
