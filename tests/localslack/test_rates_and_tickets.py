"""Rate tiers, trigger ids and response URLs, with the clock held still."""

from __future__ import annotations

import httpx
import pytest

from localslack import LocalSlack, Rules, load_workspace
from localslack.errors import RateLimitedError, SlackError
from localslack.rates import Rates
from localslack.tickets import Tickets


def refused(rates: Rates, method: str, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            rates.check("A", method)
        except RateLimitedError:
            count += 1
    return count


@pytest.mark.parametrize(
    ("method", "per_minute"),
    [
        ("chat.update", 50),
        ("conversations.create", 20),
        ("conversations.setTopic", 20),
        ("usergroups.users.list", 20),
        ("views.open", 100),
        ("views.publish", 100),
    ],
)
def test_a_tier_lets_through_so_many_a_minute(clock, method, per_minute):
    rates = Rates(clock, enabled=True)
    assert refused(rates, method, per_minute) == 0
    assert refused(rates, method, 3) == 3
    clock.seconds += 60
    assert refused(rates, method, per_minute) == 0


def test_the_minute_slides_and_retry_after_says_when(clock):
    rates = Rates(clock, enabled=True)
    refused(rates, "chat.update", 25)
    clock.seconds += 40
    refused(rates, "chat.update", 25)
    with pytest.raises(RateLimitedError) as caught:
        rates.check("A", "chat.update")
    assert caught.value.retry_after_s == 20
    clock.seconds += caught.value.retry_after_s
    assert refused(rates, "chat.update", 25) == 0


def test_posts_are_one_a_second_a_channel_with_five_at_once(clock):
    rates = Rates(clock, enabled=True)
    for _ in range(5):
        rates.check_post("A", "C1")
    with pytest.raises(RateLimitedError) as caught:
        rates.check_post("A", "C1")
    assert caught.value.retry_after_s == 1
    rates.check_post("A", "C2")
    clock.seconds += 1
    rates.check_post("A", "C1")
    with pytest.raises(RateLimitedError):
        rates.check_post("A", "C1")


def test_apps_do_not_use_up_each_others_tier(clock):
    rates = Rates(clock, enabled=True)
    refused(rates, "chat.update", 50)
    rates.check("B", "chat.update")


async def test_over_http_a_full_tier_is_a_429_with_retry_after(clock):
    async with LocalSlack(load_workspace(), clock=clock) as slack:
        headers = {"Authorization": f"Bearer {slack.bot_token}"}
        async with httpx.AsyncClient(
            base_url=slack.api_url, headers=headers, timeout=60, trust_env=False
        ) as http:
            body = {"channel": "C0GENERAL1", "text": "x"}
            answers = [await http.post("chat.postMessage", json=body) for _ in range(6)]
    assert [a.status_code for a in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert answers[-1].json() == {"ok": False, "error": "ratelimited"}
    assert slack.core.stats.rate_limited == 1
    assert len(slack.core.store.messages["C0GENERAL1"]) == 5


async def test_the_tiers_can_be_switched_off(clock):
    rules = Rules(has_rate_limits=False)
    async with LocalSlack(load_workspace(), rules=rules, clock=clock) as slack:
        headers = {"Authorization": f"Bearer {slack.bot_token}"}
        async with httpx.AsyncClient(
            base_url=slack.api_url, headers=headers, timeout=60, trust_env=False
        ) as http:
            answers = [
                await http.post("chat.postMessage", json={"channel": "C0GENERAL1", "text": "x"})
                for _ in range(8)
            ]
    assert {a.status_code for a in answers} == {200}


def tickets(clock) -> Tickets:
    return Tickets(clock, trigger_ttl_s=3, response_url_ttl_s=1800)


def test_a_trigger_works_once(clock):
    book = tickets(clock)
    key = book.trigger(user="U", app_id="A")
    assert book.exchange(key, app_id="A").user == "U"
    with pytest.raises(SlackError, match="exchanged_trigger_id"):
        book.exchange(key, app_id="A")


def test_a_trigger_works_for_three_seconds(clock):
    book = tickets(clock)
    key = book.trigger(user="U", app_id="A")
    clock.seconds += 3.01
    with pytest.raises(SlackError, match="expired_trigger_id"):
        book.exchange(key, app_id="A")


def test_a_trigger_belongs_to_its_app(clock):
    book = tickets(clock)
    with pytest.raises(SlackError, match="invalid_trigger_id"):
        book.exchange(book.trigger(user="U", app_id="A"), app_id="B")


def test_a_response_url_works_five_times(clock):
    book = tickets(clock)
    key = book.response_path(app_id="A", user="U", channel="C").rpartition("/")[2]
    for _ in range(5):
        book.response(key)
    with pytest.raises(SlackError, match="used_url"):
        book.response(key)


def test_a_response_url_works_for_thirty_minutes(clock):
    book = tickets(clock)
    key = book.response_path(app_id="A", user="U", channel="C").rpartition("/")[2]
    clock.seconds += 1800
    book.response(key)
    clock.seconds += 1
    with pytest.raises(SlackError, match="expired_url"):
        book.response(key)
