"""All workers together stay within Slack's limits, and urgent edits come through."""

from __future__ import annotations

import pytest

from bot.adapters.slack.pace import Allowance, SlackRateLimits
from bot.testing.records import MemoryBudget

MINUTE = 60.0


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: moment[0])
    return moment


async def _edits(
    now: list[float], *, urgent: bool, seconds: float = 300, after_rest: float = 0
) -> list[float]:
    """Edit as often as is allowed; gives the moments of the edits."""
    allowance = Allowance(MemoryBudget(), SlackRateLimits())
    now[0] += after_rest
    done, end = [], now[0] + seconds
    while now[0] < end:
        if not await allowance.edit(urgent=urgent):
            done.append(now[0])
        now[0] += 0.1
    return done


def _most_in_a_minute(moments: list[float]) -> int:
    return max(sum(1 for other in moments if start <= other < start + MINUTE) for start in moments)


async def test_no_minute_has_more_edits_than_slack_allows(now):
    assert _most_in_a_minute(await _edits(now, urgent=True, after_rest=600)) <= 50


async def test_about_forty_edits_a_minute_go_through_for_long(now):
    assert 38 <= len(await _edits(now, urgent=True, seconds=600)) / 10 <= 42


async def test_ordinary_edits_leave_the_last_ones_to_urgent_ones(now):
    allowance = Allowance(MemoryBudget(), SlackRateLimits())
    while not await allowance.edit(urgent=False):
        pass
    assert await allowance.edit(urgent=False) > 0
    assert await allowance.edit(urgent=True) == 0


async def test_a_word_of_slack_holds_for_urgent_edits_too(now):
    allowance = Allowance(MemoryBudget(), SlackRateLimits())
    allowance.pause_edits(7)
    assert await allowance.edit(urgent=True) == 7
    now[0] += 7
    assert await allowance.edit(urgent=True) == 0


async def test_a_channel_takes_four_posts_at_once_and_then_one_a_second(now):
    allowance = Allowance(MemoryBudget(), SlackRateLimits())
    assert [await allowance.post("C0A") for _ in range(4)] == [0, 0, 0, 0]
    assert 0 < await allowance.post("C0A") <= 1
    assert await allowance.post("C0B") == 0
    now[0] += 1.01
    assert await allowance.post("C0A") == 0


async def test_a_pause_of_one_channel_is_no_pause_of_another(now):
    allowance = Allowance(MemoryBudget(), SlackRateLimits())
    allowance.pause_posts("C0A", 5)
    assert await allowance.post("C0A") == 5
    assert await allowance.post("C0B") == 0


async def test_two_workers_share_one_allowance(now):
    budget = MemoryBudget()
    first, second = Allowance(budget, SlackRateLimits()), Allowance(budget, SlackRateLimits())
    granted = [await who.post("C0A") for who in (first, second) * 3]
    assert granted.count(0) == 4
