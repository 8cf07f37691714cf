"""The messages, views and answers beside a run's thread."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.domain.errors import UnknownServiceError, UsageError
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.views import ids
from bot.views.alert import alert_message
from bot.views.answers import broken_text, error_text, help_text
from bot.views.blocks import flatten
from bot.views.home import HomeFacts, home_view
from bot.views.modals import pick_service_modal, picked
from tests.support.worlds import START
from tests.unit.views.oracle import assert_harmless, assert_valid_message, assert_valid_view
from tests.unit.views.story import Story

FIRING = Alert(
    fingerprint="fp",
    name="HighErrorRate",
    service="checkout",
    severity="critical",
    summary="checkout fails 12 % of its requests",
    description="Look at the storefront, too.",
    status="firing",
    starts_at=START,
    labels={"alertname": "HighErrorRate", "service": "checkout", "severity": "critical", "instance": "a:1"},
    url="http://alertmanager:9093/#/alerts",
)
RESOLVED = FIRING.model_copy(update={"status": "resolved", "ends_at": START + timedelta(seconds=252)})


def shown(alert, *, known=True, now=START + timedelta(hours=1)):
    message = alert_message(alert, known_service=known, now=now)
    assert_valid_message(message)
    return message, flatten(message.blocks, names={}, urls=True, buttons=True)


def test_a_firing_alert_says_what_since_when_and_offers_triage():
    message, read = shown(FIRING)
    assert message.slot == "alert"
    assert read.startswith("🔴 checkout: HighErrorRate\ncheckout fails 12 % of its requests")
    assert "firing since 2026-03-04 03:00 UTC · severity critical" in read
    assert "`instance=a:1`" in read
    assert "alertname" not in read
    [row] = [block for block in message.blocks if block["type"] == "actions"]
    assert [(b["action_id"], b["value"], b.get("style")) for b in row["elements"]] == [
        (ids.TRIAGE, FIRING.id, "primary"),
        (ids.ACKNOWLEDGE, FIRING.id, None),
        (ids.SILENCE, FIRING.id, None),
        (ids.MARK_OVER, FIRING.id, None),
    ]


def test_an_alert_that_came_back_says_so_and_what_ended_without_its_source_names_who_or_why():
    back = FIRING.model_copy(update={"times": 2, "ended_before": RESOLVED.ends_at})
    assert re.search(
        r"it came back: reported as over at \d\d:\d\d UTC, and firing again since", shown(back)[1]
    )
    over = RESOLVED.model_copy(update={"closed_by": Person(id="U0ANA00001", name="Ana")})
    assert "marked as over by Ana; its source reported no end" in shown(over)[0].text
    over = RESOLVED.model_copy(update={"closed_because": "Alertmanager no longer lists it"})
    assert "closed, because Alertmanager no longer lists it; its source reported no end" in shown(over)[1]


def test_a_resolved_alert_is_green_with_its_duration_and_no_button():
    _, read = shown(RESOLVED)
    assert read.startswith("🟢 checkout: HighErrorRate · resolved after 4 min 12 s")
    assert not re.search(r"\[(Triage|Acknowledge|Silence 1 h|Mark as over)\]", read)


def test_what_cannot_be_measured_is_not_called_firing():
    lost = FIRING.model_copy(update={"unknown": True, "value": "connection refused"})
    _, read = shown(lost)
    assert read.startswith("🟠 checkout")
    assert "unable to measure since 2026-03-04 03:00 UTC · measured: connection refused" in read
    assert "firing since" not in read
    _, read = shown(lost.model_copy(update={"status": "resolved", "ends_at": RESOLVED.ends_at}))
    assert "unable to measure from 2026-03-04 03:00 UTC" in read


def test_what_comes_and_goes_says_how_often():
    flapping = FIRING.model_copy(update={"flapping": True, "times": 5, "value": "12 %"})
    _, read = shown(flapping)
    assert "flapping: fired 5 times within an hour; updates stay in this message until it is calm" in read
    assert "measured: 12 %" in read
    calm = shown(RESOLVED.model_copy(update={"times": 5}))[1]
    assert "fired 5 times" in calm
    assert "flapping" not in calm
    assert "times" not in shown(FIRING)[1]


def test_an_acknowledged_alert_says_by_whom_and_when_and_the_button_goes():
    who = Person(id="U0ANA00001", name="Ana")
    message, read = shown(FIRING.model_copy(update={"acknowledged_by": who, "acknowledged_at": START}))
    assert "acknowledged by U0ANA00001 at 03:00 UTC" in read
    assert "acknowledged by Ana at 03:00 UTC" in message.text
    assert "[Triage]  [Silence 1 h]" in read


def test_a_silenced_alert_says_until_when_and_offers_silence_again_afterwards():
    who = Person(id="U0ANA00001", name="Ana")
    until = START + timedelta(hours=1)
    silenced = FIRING.model_copy(update={"silenced_by": who, "silenced_until": until})
    message, read = shown(silenced, now=until - timedelta(seconds=1))
    assert "silenced until 04:00 UTC by Ana" in message.text
    assert "[Triage]  [Acknowledge]  [Mark as over]\n" in read + "\n"
    _, read = shown(silenced, now=until)
    assert "silenced" not in read
    assert "[Silence 1 h]" in read


def test_an_end_ahead_of_our_clock_counts_as_now():
    assert "resolved after 1 min\n" in shown(RESOLVED, now=START + timedelta(seconds=60))[1]


def test_an_end_that_is_not_known_is_left_out():
    assert "· resolved\n" in shown(RESOLVED.model_copy(update={"ends_at": None}))[1]


@pytest.mark.parametrize(
    ("severity", "colour"), [("warning", "🟠"), ("info", "🔵"), ("", "🔴"), ("page", "🔴")]
)
def test_severity_is_a_colour(severity, colour):
    assert shown(FIRING.model_copy(update={"severity": severity}))[1].startswith(colour)


def test_an_alert_of_an_unknown_service_says_why_there_is_no_button():
    _, read = shown(FIRING.model_copy(update={"service": "ghost"}), known=False)
    assert "`ghost` is not in the catalogue, so I cannot triage it." in read
    assert "[Triage]" not in read
    _, read = shown(FIRING.model_copy(update={"service": ""}), known=False)
    assert "This alert has no `service` label" in read


def test_the_modal_offers_every_service_and_a_time():
    view = pick_service_modal(["payments", "checkout"], private_metadata="C1:1.2", initial="checkout")
    assert_valid_view(view)
    select = view["blocks"][0]["element"]
    assert [option["value"] for option in select["options"]] == ["checkout", "payments"]
    assert select["initial_option"]["value"] == "checkout"


def test_more_services_than_a_menu_holds_are_grouped():
    view = pick_service_modal(
        [f"service-{i:03}" for i in range(250)], private_metadata="", initial="service-249"
    )
    assert_valid_view(view)
    groups = view["blocks"][0]["element"]["option_groups"]
    assert [len(group["options"]) for group in groups] == [100, 100, 50]
    assert groups[0]["label"]["text"] == "service-000 … service-099"


def test_an_empty_catalogue_is_said_rather_than_offered():
    view = pick_service_modal([], private_metadata="x")
    assert_valid_view(view)
    assert "submit" not in view


def test_metadata_is_never_cut():
    with pytest.raises(ValueError, match="3000"):
        pick_service_modal(["a"], private_metadata="x" * 3001)


def test_a_submission_is_read_back():
    values = {
        ids.SERVICE_BLOCK: {ids.SERVICE_INPUT: {"selected_option": {"value": "checkout"}}},
        ids.SINCE_BLOCK: {ids.SINCE_INPUT: {"selected_option": {"value": "1h"}}},
    }
    assert picked(values) == ("checkout", "1h")


def test_home_shows_what_waits_for_me_what_runs_and_what_was():
    waiting = Story().diagnoses().proposes().run
    running = Story().asks().run.model_copy(update={"id": "r-2"})
    ended = Story().recovers().run.model_copy(update={"id": "r-3"})
    view = home_view(
        HomeFacts(now=START, runs=[waiting, running, ended], waiting=[waiting], services=["checkout"])
    )
    assert_valid_view(view)
    read = flatten(view["blocks"], names={"U0ANA00001": "Ana"})
    first, rest = read.split("Running", 1)
    assert first.startswith("Waiting for you\n🟡 Triage checkout: waiting for approval")
    assert "Approve or reject by 03:30 UTC: Roll checkout back to 2.3.0." in first
    assert "gathering evidence" in rest
    assert "Recent\n🟢 Triage checkout: recovered" in rest
    assert read.count("waiting for approval") == 1


def test_home_tells_a_newcomer_how_to_begin():
    view = home_view(HomeFacts(now=START, runs=[], waiting=[], services=[]))
    assert_valid_view(view)
    read = flatten(view["blocks"], names={})
    assert "All quiet" in read
    assert "`/triage checkout`" in read
    assert "none yet" in read


def test_a_long_home_counts_the_rest():
    runs = [Story().recovers().run.model_copy(update={"id": f"r-{i}"}) for i in range(30)]
    view = home_view(HomeFacts(now=START, runs=runs, waiting=[], services=["checkout"]))
    assert_valid_view(view)
    assert "and 20 more runs" in flatten(view["blocks"], names={})


def test_an_error_is_told_with_its_way_out_and_cannot_ping():
    error = UnknownServiceError(
        "I know no service called `<!channel>`.", hint="The catalogue has: `checkout`."
    )
    text = error_text(error)
    assert text == "I know no service called `&lt;!channel&gt;`.\nThe catalogue has: `checkout`."
    assert error_text(UsageError("No service")) == "No service."


def test_something_broken_names_the_reference():
    assert "`e-42`" in broken_text("e-42")


def test_help_lists_each_command_as_it_is_written():
    text = help_text([("/triage <service> [since 30m]", "Find the cause.")])
    assert_harmless(text)
    assert "`/triage &lt;service&gt; [since 30m]`" in text
