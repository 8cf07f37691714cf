"""A run is the fold of its journal: of any prefix of it, in one go or step by step, and told again."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.runs.event import (
    EVENT,
    EffectIntended,
    RunStarted,
    StepFinished,
    StepUndone,
    VoteCast,
    WatchSampled,
)
from bot.domain.runs.run import apply, begin, fold
from tests.support.worlds import BEN, START, started
from tests.unit.engine.journals import BOOK, journals, shuffled

EXAMPLES = settings(max_examples=60, deadline=None)


def without_length(run):
    """What a run is, but for how many facts were told."""
    return run.model_copy(update={"length": 0})


@EXAMPLES
@given(journals() | shuffled())
def test_every_prefix_folds_and_the_fold_is_one_fact_applied_after_the_other(facts):
    run = begin("r1", facts[0])
    for length, fact in enumerate(facts[1:], start=2):
        run = apply(run, fact)
        assert run == fold("r1", facts[:length])
        assert run.length == length


@EXAMPLES
@given(journals(), st.data())
def test_a_run_read_in_part_and_carried_on_is_the_run_read_at_once(facts, data):
    cut = data.draw(st.integers(1, len(facts)))
    assert functools.reduce(apply, facts[cut:], fold("r1", facts[:cut])) == fold("r1", facts)


@EXAMPLES
@given(journals())
def test_a_journal_survives_being_written_down(facts):
    written = [EVENT.validate_json(EVENT.dump_json(fact, by_alias=True)) for fact in facts]
    assert fold("r1", written) == fold("r1", facts)


@EXAMPLES
@given(journals() | shuffled())
def test_the_first_result_of_a_step_stands(facts):
    last_word = fold("r1", facts)
    first = {}
    for fact in facts:
        if isinstance(fact, StepFinished):
            first.setdefault((fact.phase, fact.step), fact)
    for (phase, step), fact in first.items():
        if fold_started_before(facts, fact):
            known = last_word.phases[phase].steps[step]
            assert (known.outcome, known.result, known.error) == (fact.outcome, fact.result, fact.error)


def fold_started_before(facts, fact):
    """Whether the step's phase had begun; a phase that begins forgets what was told of it before."""
    begins = [
        i for i, other in enumerate(facts) if other.type == "phase_started" and other.phase == fact.phase
    ]
    return max(begins) < facts.index(fact)


@EXAMPLES
@given(journals(), st.data())
def test_a_start_a_result_or_a_click_told_again_at_any_later_time_changes_nothing(facts, data):
    repeatable = [i for i, fact in enumerate(facts) if isinstance(fact, RunStarted | StepFinished | VoteCast)]
    index = data.draw(st.sampled_from(repeatable))
    later = data.draw(st.integers(index + 1, len(facts)))
    told = fold("r1", [*facts[:later], facts[index], *facts[later:]])
    assert without_length(told) == without_length(fold("r1", facts))


@EXAMPLES
@given(journals())
def test_an_effect_is_in_doubt_from_its_intent_until_its_result(facts):
    open_now: set[tuple[str, bool]] = set()
    for length, fact in enumerate(facts, start=1):
        if isinstance(fact, EffectIntended):
            open_now.add((fact.step, fact.undo))
        elif isinstance(fact, StepFinished | StepUndone):
            open_now.discard((fact.step, isinstance(fact, StepUndone)))
        steps = fold("r1", facts[:length]).phases["fix"].steps.values()
        doubtful = {(s.id, False) for s in steps if s.in_doubt} | {
            (s.id, True) for s in steps if s.undo_in_doubt
        }
        assert doubtful == open_now


def test_a_watch_keeps_its_last_looks_and_counts_all():
    looks = [WatchSampled(at=START, phase="watch", ok=True, text=str(number)) for number in range(70)]
    watch = fold("r1", [started(BOOK), *looks]).phases["watch"]
    assert (watch.samples_total, watch.samples) == (70, tuple(looks[-60:]))


def test_a_journal_that_does_not_begin_with_a_start_is_refused():
    click = VoteCast(at=START, approval_id="r1.gate", by=BEN, verdict="approve")
    for facts in ([], [click]):
        with pytest.raises(ValueError, match="journal of r1"):
            fold("r1", facts)
