"""What a diagnosis was made from is in the journal, and it comes out the same from that alone."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.runs.event import InputsPinned, PhaseFinished
from bot.domain.runs.inputs import Inputs, neighbourhood
from bot.domain.runs.journal import export_line, import_line
from bot.engine.engine import Engine
from bot.engine.replay import InputsMissingError, again, as_text, difference, recorded
from bot.reducers import REDUCERS
from tests.unit.diagnosis.stories import (
    NOW,
    SHOP,
    calls_fail,
    deploy,
    errors,
    lock,
    log_errors,
    propagated,
    rank,
    results,
    setting,
    version_errors,
)
from tests.unit.diagnosis.test_ranking_laws import stories
from tests.unit.engine.triages import ranking, triaged

SECRET = "hunter2"  # what must not be kept
RELEASE = [
    deploy("pay", "1.1"),
    version_errors("pay", {"1.0": 0.0, "1.1": 0.4}, failing="1.1"),
    *log_errors("pay"),
    *propagated("web", "orders"),
    calls_fail("orders", "pay"),
]


def with_secrets(catalogue: Catalogue) -> Catalogue:
    """The same services among many others, with passwords in them."""
    services = [service.model_dump() for service in catalogue.services]
    for service in services:
        service["sources"] = {**service["sources"], "postgres": {"dsn": f"postgres://u:{SECRET}@db"}}
        service["target"] = {"haproxy": {"password": SECRET}}
    strangers = [{"name": f"other-{number}", "depends_on": []} for number in range(40)]
    return Catalogue.model_validate({"services": [*strangers, *services]})


@pytest.mark.parametrize("away", [(), ("metrics",), ("logs", "metrics", "changes", "database")])
async def test_a_diagnosis_comes_out_the_same_byte_for_byte_from_its_exported_journal(world, away):
    events = await triaged(ranking(world, catalogue=with_secrets(SHOP)), RELEASE, away=away)
    run_id, read = import_line(export_line("r1", events))
    (told,) = recorded(run_id, read)
    found = again(told, REDUCERS)
    assert difference(told, found) == ()
    assert as_text(found.model_dump(mode="json")) == as_text(events[-2].output)
    assert (told.ranker, told.given.now) == ("r1", NOW)


async def test_what_is_kept_is_the_neighbourhood_and_holds_no_setting_of_a_source(world):
    events = await triaged(ranking(world, catalogue=with_secrets(SHOP)), RELEASE)
    (pinned,) = [event for event in events if isinstance(event, InputsPinned)]
    assert [service.name for service in pinned.inputs.services] == list(SHOP.names)
    assert SECRET not in export_line("r1", events)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=stories)
def test_the_ranker_says_of_what_is_kept_what_it_says_of_the_whole_catalogue(found):
    named = {"web", *(f.service for f in found), *(f.component for f in found)}
    kept = Inputs(now=NOW, services=neighbourhood(with_secrets(SHOP), named))
    kept = Inputs.model_validate_json(kept.model_dump_json())
    told = rank_causes(
        service="web", catalogue=kept.catalogue, results=results(found), now=kept.now, since_s=1800
    )
    assert told == rank(found)


async def test_a_worker_that_takes_over_asks_with_what_was_pinned_and_not_with_what_is_there_now(world):
    events = await triaged(ranking(world), RELEASE)
    place = next(n for n, event in enumerate(events) if isinstance(event, InputsPinned))
    await world.store.start("r2", events[0])
    taken = await world.store.take("r2")
    await world.store.append("r2", events[1 : place + 1], epoch=taken.epoch)
    world.clock.forward(600)
    world.deps = dataclasses.replace(world.deps, catalogue=Catalogue(), ranker="r2")
    world.engine = Engine(world.deps)
    run = await world.go("r2")
    assert run.phases["diagnosis"].output == events[-2].output
    assert sum(isinstance(event, InputsPinned) for event in await world.store.load("r2")) == 1


async def test_another_answer_is_shown_line_by_line(world):
    events = await triaged(ranking(world), RELEASE)
    (told,) = recorded("r1", events)
    other = again(told, REDUCERS).model_copy(update={"verdict": "unclear"})
    lines = [line for line in difference(told, other) if line.startswith(("-", "+"))][2:]
    assert lines == ['- "verdict": "cause_found",', '+ "verdict": "unclear",']


async def test_todays_catalogue_can_be_asked_with_the_findings_of_then(world):
    events = await triaged(ranking(world), [*propagated("web", "orders", "pay"), lock("pay")])
    (told,) = recorded("r1", events)
    assert again(told, REDUCERS).top.kind is CauseKind.DATABASE_LOCK
    alone = Catalogue.model_validate({"services": [{"name": "web"}]})
    assert again(told, REDUCERS, catalogue=alone).top is None


async def test_what_came_after_the_diagnosis_is_not_what_it_read(world):
    events = await triaged(ranking(world), [*errors_and_setting()])
    (told,) = recorded("r1", events)
    assert told.given.run.phases["diagnosis"].outcome is None
    assert told.given.run.outcome is None


async def test_a_journal_without_inputs_is_refused_by_name(world):
    events = await triaged(ranking(world), RELEASE)
    old = [event for event in events if not isinstance(event, InputsPinned)]
    assert any(isinstance(event, PhaseFinished) and event.output for event in old)
    with pytest.raises(InputsMissingError, match="r1 has no diagnosis whose inputs were recorded"):
        recorded("r1", old)


def errors_and_setting():
    return errors("web"), setting("web", "pool_size", 50, 1)
