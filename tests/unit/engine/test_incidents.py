"""A triage is shown by the alerts that it is about, from its start to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.board import Topic
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.incident import AlertIncident, belongs, services_of
from bot.domain.runs.event import InputsPinned, Origin
from bot.domain.runs.inputs import Inputs, Neighbour
from bot.engine.incidents import attach_to_triage, show_on_alerts
from bot.testing.stores import memory_stores
from bot.views.alert import alert_message
from bot.views.blocks import flatten
from bot.views.ids import TRIAGE
from bot.views.limits import unescape
from bot.views.phrases import names_in
from tests.support.worlds import START
from tests.unit.views.story import Story


def alert(service="checkout", *, status="firing", at=START, ended=None, name="HighErrorRate"):
    return Alert(
        fingerprint=f"fp-{service}",
        name=name,
        service=service,
        summary=f"{service} fails 5.405% of its requests",
        status=status,
        starts_at=at,
        ends_at=ended,
    )


def triage(*around: str) -> Story:
    """Return a triage from the button of checkout's alert, which reads the services around it."""
    story = Story(origin=Origin(kind="button", channel="C0ONCALL", thread="1.0", alert=alert().id))
    pinned = Inputs(now=START, services=tuple(Neighbour(name=name) for name in around))
    return story.tell(InputsPinned(at=START, phase="diagnose", inputs=pinned))


def read(one: Alert, run, *others: Alert) -> str:
    incident = AlertIncident(run=run, others=others)
    shown = alert_message(one, known_service=True, now=START, incident=incident)
    return unescape(flatten(shown.blocks, names=names_in(run), buttons=True))


def buttons(one: Alert, run) -> set[str]:
    shown = alert_message(one, known_service=True, now=START, incident=AlertIncident(run=run))
    return {
        item["action_id"]
        for block in shown.blocks
        if block["type"] == "actions"
        for item in block["elements"]
    }


@pytest.mark.parametrize(
    ("one", "is_one"),
    [
        (alert(), True),
        (alert("payments"), True),
        (alert("search"), False),
        (alert("payments", at=START - timedelta(minutes=5)), True),
        (alert("payments", status="resolved", ended=START - timedelta(seconds=1)), False),
        (alert("payments", at=START + timedelta(days=1)), False),
    ],
)
def test_an_alert_belongs_to_the_triage_that_reads_its_service_while_it_fires(one, is_one):
    run = triage("checkout", "payments").finishes("recovered").run
    assert belongs(one, run) is is_one


def test_a_triage_covers_what_it_reads_and_where_the_cause_is():
    assert services_of(triage("payments").run) == {"checkout", "payments"}


def test_the_alerts_message_has_the_cause_what_is_waited_for_and_the_other_alerts():
    run = triage().diagnoses().proposes().run
    text = read(alert(), run, alert("payments"), alert("storefront", status="resolved", ended=START))
    assert "Cause: Release 2.3.1 of checkout fails 12 % of its requests. Very likely (92 %)." in text
    assert "Waiting for @oncall to review in this thread by 03:30 UTC: Roll checkout back to 2.3.0." in text
    assert "Also firing: payments: HighErrorRate. Also resolved: storefront: HighErrorRate." in text
    assert TRIAGE not in buttons(alert(), run)


def test_at_the_end_it_says_what_it_was_what_was_done_and_by_whom_and_no_old_number():
    run = triage().recovers().run
    text = read(alert(status="resolved", ended=START + timedelta(seconds=50)), run)
    assert text.startswith("🟢 checkout: HighErrorRate · resolved after")
    assert "Resolved 03:00 UTC" in text
    assert "Done: Roll checkout back to 2.3.0, approved by Ben; errors now 0.2 %." in text
    assert "Next: don't redeploy 2.3.1 until it is fixed." in text
    assert "5.405" not in text


def test_an_alert_of_another_service_points_to_the_triage_and_learns_of_its_end():
    run = triage("storefront").diagnoses().proposes().run
    text = read(alert("storefront"), run)
    assert "Part of the triage of checkout in <#C0ONCALL>: waiting for approval." in text
    assert TRIAGE not in buttons(alert("storefront"), run)
    over = triage("storefront").recovers().run
    ended = alert("storefront", status="resolved", ended=START + timedelta(seconds=50))
    assert "Done: Roll checkout back to 2.3.0, approved by Ben" in read(ended, over)


def test_an_alert_that_outlives_the_triage_offers_one_again():
    assert TRIAGE in buttons(alert("storefront"), triage("storefront").recovers().run)


async def test_a_triage_attaches_itself_to_its_alerts_and_not_to_those_with_one_of_their_own():
    stores = memory_stores()
    for service in ("checkout", "payments", "search"):
        await stores.alerts.report(alert(service))
    story = triage("payments").diagnoses()
    run = story.run
    await stores.journal.start(run.id, story.events[0])
    await show_on_alerts(stores, run, story.events[-1:])
    attached = [await stores.alerts.run_of(alert(one).id) for one in ("checkout", "payments", "search")]
    assert attached == [run.id, run.id, ""]
    topics = {hold.topic for hold in await stores.board.claim(limit=10, lease_s=10)}
    assert {Topic(kind="alert", id=alert(one).id) for one in ("checkout", "payments")} <= topics

    own = Origin(kind="button", channel="C0ONCALL", thread="2.0", alert=alert("payments").id)
    mine = Story(origin=own, service="payments")
    await stores.journal.start("r-own", mine.events[0])
    await stores.alerts.attach(alert("payments").id, "r-own")
    await show_on_alerts(stores, run, story.events[-1:])
    assert await stores.alerts.run_of(alert("payments").id) == "r-own"


async def test_an_alert_that_fires_later_joins_the_active_triage():
    stores = memory_stores()
    triage_book = triage().events[0]
    await stores.journal.start("r-active", triage_book)
    later = alert(name="Latency").model_copy(update={"fingerprint": "fp-late"})
    await attach_to_triage(stores, later)
    assert await stores.alerts.run_of(later.id) == "r-active"
    await attach_to_triage(stores, alert("search"))
    assert await stores.alerts.run_of(alert("search").id) == ""


def test_a_share_of_an_alert_is_written_as_everywhere():
    text = read(alert(), triage().run)
    assert "checkout fails 5.4 % of its requests" in text
