"""An item is done by a probe where it has one, else by a person; nobody waives one for themselves."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.domain.deployments.checklist import ChecklistItem, ItemCheck, ItemMark, state_of, title_of
from bot.domain.deployments.checklist_rule import rule_checklist
from tests.support.worlds import ANA, BEN, CHI, START

BY_HAND = ChecklistItem()
BY_PROBE = ChecklistItem.model_validate({"probe": "x.y", "expect": "result.value > 0"})
GOOD, BAD, UNKNOWN = (ItemCheck(ok=ok, text="seen") for ok in (True, False, None))


def mark(kind, by=BEN, item="tests") -> ItemMark:
    return ItemMark(item=item, kind=kind, by=by, at=START, text="so")


@pytest.mark.parametrize(
    ("seen", "marks", "status"),
    [
        (None, [], "open"),
        (None, [mark("tick")], "done"),
        (None, [mark("tick", ANA)], "done"),
        (None, [mark("tick", item="coverage")], "open"),
        (None, [mark("waiver")], "waived"),
        (None, [mark("waiver", ANA)], "open"),
        (None, [mark("waiver", ANA), mark("waiver", CHI)], "waived"),
        (None, [mark("waiver", CHI), mark("waiver", ANA)], "waived"),
        (None, [mark("waiver"), mark("tick", CHI)], "done"),
        (None, [mark("withdrawn")], "open"),
        (None, [mark("withdrawn"), mark("waiver", CHI)], "waived"),
        (GOOD, [], "done"),
        (GOOD, [mark("waiver")], "done"),
        (BAD, [], "failed"),
        (BAD, [mark("tick")], "failed"),
        (BAD, [mark("waiver")], "waived"),
        (BAD, [mark("waiver", ANA)], "failed"),
        (UNKNOWN, [mark("tick")], "unknown"),
        (UNKNOWN, [mark("waiver")], "waived"),
    ],
)
def test_how_an_item_stands_for_a_deployment_that_ana_asks_for(seen, marks, status):
    item = BY_HAND if seen is None else BY_PROBE
    assert state_of("tests", item, marks=marks, seen=seen, requester=ANA).status == status


def test_the_gate_is_closed_by_the_first_item_that_holds_it_up_and_names_all():
    words = {"a": [mark("tick", item="a")], "b": [], "c": [mark("waiver", item="c")], "d": []}
    states = [state_of(n, BY_HAND, marks=m, seen=None, requester=ANA) for n, m in words.items()]
    ruling = rule_checklist("checkout", "1.5.0", states)
    assert (ruling.verdict, ruling.code, ruling.is_open) == ("reject", "checklist_b", False)
    assert ruling.why.startswith("Not done for 1.5.0: b, d (2 of 4).")
    assert "`/deploy tick checkout 1.5.0 b`" in ruling.way_out
    waived = rule_checklist("checkout", "1.5.0", [states[0], states[2]])
    assert (waived.verdict, waived.waived_by, waived.is_open) == (
        "reject",
        "c by Ben, for others' deployments: so",
        True,
    )
    assert rule_checklist("checkout", "1.5.0", states[:1]).verdict == "proceed"


def test_a_probe_without_an_expectation_or_the_other_way_round_is_refused():
    for half in ({"probe": "x.y"}, {"expect": "result"}):
        with pytest.raises(ValidationError, match="go together"):
            ChecklistItem.model_validate(half)


def test_an_item_has_a_title_for_people():
    assert title_of("tests", ChecklistItem(title="All green")) == "All green"
    assert title_of("team_told", BY_HAND) == "The team has been informed"
    assert title_of("legal-asked", BY_HAND) == "Legal asked"
