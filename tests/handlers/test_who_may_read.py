"""Every read-only command, button and tab follows one rule on who may read."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from slack_bolt.async_app import AsyncBoltRequest

from bot.domain.catalogue import Catalogue
from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.deployments.deployment import Deployment
from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback
from bot.domain.errors import NotAllowedError
from bot.domain.intent import AskWhyNot, ShowChecklist, ShowDelivery, ShowDiff, StartRun, TryMonitor
from bot.domain.people import Person
from bot.domain.runs.event import Origin, RunStarted
from bot.services.parsing import monitors
from bot.views import ids
from handlers import deploy
from handlers import monitor as monitor_handler
from tests.handlers.desks import CATALOGUE, TRIAGE, Members, memory_desk
from tests.handlers.fronts import ANA, BEN, GIL, OLGA, ONCALL, Front

ANSWERED_HERE = ("/deploy history", "/deploy locks", "/deploy queue", "/monitor list", "/triage accuracy")
"""Answered by ``web`` itself, from the stores."""
NAMED_HERE = ("/monitor show checkout/errors", "/deploy history checkout", "/deploy queue checkout")
BY_INTENT = {
    "why": AskWhyNot,
    "diff": ShowDiff,
    "stats": ShowDelivery,
    "checklist": ShowChecklist,
    "test": TryMonitor,
    "plan": StartRun,
}
"""Asks a probe or posts something, so a worker answers; the same rule is checked there."""
READ_BUTTONS = {ids.DETAILS, ids.REVIEW, ids.WHY, ids.WHAT_ELSE, ids.WHY_SO}
CHANGE_BUTTONS = {
    ids.APPROVE, ids.REJECT, ids.REJECT_WHY, ids.TRIAGE, ids.ACKNOWLEDGE, ids.SILENCE, ids.MARK_OVER, ids.TRIAGE_AGAIN, ids.DEPLOY_PLAN, ids.CANCEL_RUN,
    ids.PROMOTE, ids.PAUSE, ids.RESUME, ids.ABORT, ids.SAY_RIGHT, ids.SAY_WRONG, ids.SAY_OTHER,
}  # fmt: skip
NOT_MEMBERS = {
    "guest": (GIL, "you are a guest"),
    "outsider": (OLGA, "you belong to another workspace"),
    "deactivated": (BEN, "your account is deactivated"),
    "unreadable": (ANA, "cannot check who you are"),
}
SECRET = "1.4.2-secret"


@contextlib.asynccontextmanager
async def _as(front: Front, who: str) -> AsyncIterator[tuple[str, str]]:
    """Act as a person who is not a member, or is unknown; return the id and the reason of the refusal."""
    if who == "deactivated":
        await front.people.deactivate(BEN)
    faults = {"users.info": "internal_error"} if who == "unreadable" else {}
    async with front.people.faulty(fail=faults):
        yield NOT_MEMBERS[who]


async def _filled(front: Front) -> None:
    """Fill every store with records."""
    now, ben = front.desk.clock.now(), Person(id=BEN)
    done = {
        "requested_at": now,
        "started_at": now,
        "finished_at": now,
        "outcome": "succeeded",
        "changed": True,
    }
    one = {"id": "r9", "service": "checkout", "strategy": "canary", "version": SECRET, "requested_by": ben}
    await front.stores.deployments.record(Deployment.model_validate(one | done))
    lock = DeployLock(service="checkout", by=ben, reason=SECRET, at=now, until=now + timedelta(hours=1))
    await front.desk.stores.deploy_locks.lock(lock)
    said = DiagnosisSummary(run_id=SECRET, at=now, service="checkout", verdict="cause_found", confidence=0.9)
    await front.stores.feedback.rate(said, Feedback(by=ben, at=now, opinion="wrong"))
    origin = Origin(kind="command", channel=ONCALL)
    begun = RunStarted(
        at=now, runbook=TRIAGE, params={"service": "checkout"}, requested_by=ben, origin=origin
    )
    await front.store.start("r1", begun)


async def _typed(front: Front, text: str, *, user: str) -> str:
    """Type a command as Slack delivers it, whatever the account's state is by now; return the answer."""
    command, _, rest = text.partition(" ")
    body = {
        "command": command,
        "text": rest,
        "team_id": front.slack.core.workspace.id,
        "user_id": user,
        "user_name": "somebody",
        "channel_id": ONCALL,
        "trigger_id": f"1.{user}.{text}",
    }
    answer = await front.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
    assert answer.status == 200
    return str(answer.body)


async def _clicked(front: Front, action_id: str, *, user: str) -> None:
    body = {
        "type": "block_actions",
        "user": {"id": user, "name": "somebody", "team_id": front.slack.core.workspace.id},
        "channel": {"id": ONCALL},
        "message": {"ts": "1.0"},
        "trigger_id": f"1.{user}",
        "actions": [{"action_id": action_id, "value": "r1", "type": "button", "block_id": "b"}],
    }
    await front.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))


def test_every_word_verb_and_button_is_sorted_by_whether_it_only_shows_something():
    read = {name for name, word in deploy.WORDS.items() if word.reads}
    here = {line.split()[1] for line in ANSWERED_HERE if line.startswith("/deploy")}
    assert read == here | (set(BY_INTENT) - {"test", "plan"})
    assert set(deploy.WORDS) - read == {"lock", "unlock", "handover", "tick", "waive", "untick"}
    assert {"list", "show"} == monitor_handler.READS
    changes = {"pause", "resume", "mute", "unmute"}
    assert set(monitors.VERBS) == monitor_handler.READS | {"test"} | changes
    no_buttons = {
        ids.REASONS, ids.FEEDBACK, ids.REJECTION, ids.PICK_SERVICE, ids.TRIAGE_MESSAGE, ids.OPEN_THREAD,
    }  # fmt: skip
    buttons = {
        value
        for name, value in vars(ids).items()
        if name.isupper() and not name.endswith(("_BLOCK", "_INPUT"))
    }
    assert buttons - no_buttons == READ_BUTTONS | CHANGE_BUTTONS


@pytest.mark.parametrize("who", NOT_MEMBERS)
async def test_whoever_is_not_a_member_is_refused_every_read_with_the_reason(front: Front, who: str):
    await _filled(front)
    async with _as(front, who) as (user, why):
        for command in (*ANSWERED_HERE, *NAMED_HERE):
            answer = await _typed(front, command, user=user)
            assert why in answer, command
            assert SECRET not in answer, command
            assert "checkout" not in answer, command


@pytest.mark.parametrize("command", [*ANSWERED_HERE, *NAMED_HERE])
async def test_a_member_is_answered(front: Front, command: str):
    await _filled(front)
    answer = await _typed(front, command, user=ANA)
    assert not any(why in answer for _, why in NOT_MEMBERS.values())
    assert "Something broke" not in answer
    if "queue" not in command and "monitor" not in command:
        assert SECRET in answer
    assert front.inbox.intents == []


@pytest.mark.parametrize("who", NOT_MEMBERS)
@pytest.mark.parametrize("action_id", sorted(READ_BUTTONS))
async def test_a_button_that_shows_something_refuses_whoever_is_not_a_member(
    front: Front, action_id: str, who: str
):
    await _filled(front)
    async with _as(front, who) as (user, why):
        told = _kept_notices(front)
        await _clicked(front, action_id, user=user)
        async with asyncio.timeout(60):
            while not told:  # noqa: ASYNC110  # nothing tells when a listener has ended
                await asyncio.sleep(0.01)  # real time: the pause between two looks of a poll
        assert why in told[0]
    assert (await front.people.stats())["calls"].get("views.open", 0) == 0


@pytest.mark.parametrize("who", NOT_MEMBERS)
async def test_the_home_tab_shows_those_who_are_not_members_the_reason_and_nothing_else(
    front: Front, who: str
):
    await _filled(front)
    async with _as(front, who) as (user, why):
        event = {"type": "app_home_opened", "tab": "home", "user": user, "channel": "D1"}
        body = {
            "type": "event_callback",
            "team_id": front.slack.core.workspace.id,
            "event_id": "E",
            "event": event,
        }
        await front.app.async_dispatch(AsyncBoltRequest(body=body, mode="socket_mode"))
        async with asyncio.timeout(60):
            while (view := await front.people.home(user=user)) is None:  # noqa: ASYNC110  # the page tells nobody
                await asyncio.sleep(0.02)  # real time: the pause between two looks of a poll
    shown = json.dumps(view["blocks"])
    assert why in shown
    assert "checkout" not in shown


def _open(*, catalogue: bool, services: dict[str, bool]) -> Catalogue:
    """Return the catalogue with what guests may read; a service that is left out sets nothing."""
    data = CATALOGUE.model_dump(by_alias=True, exclude_defaults=True)
    data["read"] = {"guests": catalogue}
    for entry in data["services"]:
        if entry["name"] in services:
            entry["read"] = {"guests": services[entry["name"]]}
    return Catalogue.model_validate(data)


async def _history_of(catalogue: Catalogue, words: Sequence[str] = ()) -> str:
    desk = memory_desk(directory=Members(standing="guest"), catalogue=catalogue)
    now, ben = desk.clock.now(), Person(id=BEN)
    for number, service in enumerate(("checkout", "payments", "storefront")):
        given = {"id": f"r{number}", "service": service, "strategy": "canary", "version": f"{service}-1"}
        more = {"requested_by": ben, "requested_at": now, "started_at": now, "outcome": "succeeded"}
        await desk.stores.deployments.record(Deployment.model_validate(given | more | {"changed": True}))
    command = {"user_id": GIL, "user_name": "gil", "trigger_id": "1", "channel_id": ONCALL}
    return await deploy.WORDS["history"].run(desk, list(words), command)


async def test_a_guest_reads_about_the_services_that_the_catalogue_opens_and_no_other():
    catalogue = _open(catalogue=False, services={"checkout": True})
    told = await _history_of(catalogue)
    assert "checkout-1" in told
    assert "payments-1" not in told
    assert "checkout-1" in await _history_of(catalogue, ["checkout"])
    with pytest.raises(NotAllowedError, match="you are a guest") as refused:
        await _history_of(catalogue, ["payments"])
    assert (refused.value.code, refused.value.hint) == ("guest", "Guests may read about: `checkout`.")


async def test_where_the_catalogue_opens_all_a_service_may_still_close_itself():
    told = await _history_of(_open(catalogue=True, services={"payments": False}))
    assert ("checkout-1" in told, "payments-1" in told, "storefront-1" in told) == (True, False, True)
    assert "payments-1" in await _history_of(_open(catalogue=True, services={}))


def _kept_notices(front: Front) -> list[str]:
    """Record the notices of the handlers as well as posting them."""
    kept: list[str] = []
    notify = front.desk.notifier.notify

    async def keep(notice):
        kept.append(notice.text)
        await notify(notice)

    front.desk.notifier.notify = keep
    return kept
