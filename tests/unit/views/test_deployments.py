"""A deployment is shown as one message, and as one line of a list."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.deployments.deployment import Deployment, DeploymentOutcome
from bot.views.blocks import flatten
from bot.views.deployment import OUTCOME_WORDS, announcement, history_lines
from tests.support.worlds import ANA, BEN, START
from tests.unit.views.oracle import assert_valid_message


def deployment(**more: object) -> Deployment:
    given = {
        "id": "r1",
        "service": "checkout",
        "strategy": "canary",
        "version": "1.4.2",
        "previous_version": "1.4.1",
        "requested_by": ANA,
        "approved_by": (BEN,),
        "requested_at": START,
        "started_at": START,
        "outcome": "running",
        "changed": True,
    }
    return Deployment.model_validate(given | more)


def told(**more: object) -> str:
    message = announcement(deployment(**more))
    assert_valid_message(message)
    return flatten(message.blocks, names={ANA.id: "Ana", BEN.id: "Ben"})


def test_an_announcement_tells_what_goes_where_by_whom_and_with_whose_consent():
    text = told(why="faster carts")
    assert "🔵 checkout 1.4.2: in progress" in text
    assert "checkout: `1.4.1` → `1.4.2`, by canary." in text
    assert "Requested by @Ana, approved by @Ben." in text.replace("Ana", "@Ana").replace("Ben", "@Ben")
    assert "Why: faster carts" in text


def test_the_end_is_told_in_the_same_message():
    end = {"outcome": "succeeded", "finished_at": START + timedelta(seconds=90), "summary": "All is well."}
    text = told(**end)
    assert "🟢 checkout 1.4.2: deployed" in text
    assert "All is well." in text
    assert "took 1 min 30 s" in text
    assert announcement(deployment(**end)).slot == announcement(deployment()).slot


def test_a_rollback_names_the_version_that_serves_again():
    assert "🟢 checkout: rolled back to 1.4.1" in told(
        strategy="rollback", version="1.4.1", previous_version="1.4.2", outcome="succeeded"
    )


def test_an_emergency_is_loud_and_says_why():
    text = told(emergency="carts are lost", approved_by=())
    assert text.startswith("🚨 EMERGENCY · 🔵 checkout 1.4.2")
    assert "Gates bypassed: carts are lost" in text
    assert "no approval was requested" in text
    assert announcement(deployment(emergency="carts are lost")).urgent


@pytest.mark.parametrize("outcome", list(OUTCOME_WORDS))
def test_every_way_it_may_stand_is_a_message_and_a_line(outcome: DeploymentOutcome):
    mark, words = OUTCOME_WORDS[outcome][1:]
    assert words in told(outcome=outcome)
    lines = history_lines([deployment(outcome=outcome)], now=START)
    assert lines[1].startswith(f"{mark} checkout `1.4.1` → `1.4.2` · canary, {words} · by <@{ANA.id}>")


def test_words_from_outside_stay_words():
    odd = "<!channel> *x* `y` &lt;" * 40
    told(
        version=odd, previous_version=odd, emergency=odd, why=odd, service="a" * 63, strategy=odd, summary=odd
    )


def test_a_list_says_how_long_each_took_and_one_under_way_for_how_long():
    done = deployment(outcome="failed", finished_at=START + timedelta(seconds=30))
    lines = history_lines([deployment(), done], service="checkout", now=START + timedelta(seconds=5))
    assert "*The latest 2 deployments* of *checkout*" in lines[0]
    assert "for 5 s so far" in lines[1]
    assert "in 30 s" in lines[2]


def test_an_empty_list_says_what_to_do():
    assert history_lines([], service="checkout", now=START) == [
        "I have no record of a deployment of *checkout*.",
        "Run `/deploy` to see how to start one.",
    ]
