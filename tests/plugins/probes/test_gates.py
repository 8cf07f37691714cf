"""The gates say whether a service may be deployed now, and not to know is not to proceed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.errors import UnknownServiceError
from bot.probes import gates
from tests.worlds import HandClock

WEEKEND = {
    "id": "weekend",
    "reason": "Few people are around",
    "time_zone": "Europe/Berlin",
    "from": "fri 16:00",
    "until": "mon 08:00",
}
SATURDAY = datetime(2026, 11, 28, 12, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


def clock(at: datetime) -> HandClock:
    return HandClock(at)


async def test_a_freeze_rejects_with_its_rule_its_reason_and_its_end(context):
    ctx = context({"name": "checkout", "freezes": [WEEKEND]}, clock=clock(SATURDAY))
    facts = await gates.freeze(ctx, service="checkout", version="1.4.2")
    assert {
        key: facts.data[key] for key in ("gate", "verdict", "code", "until", "waivable", "waived_by")
    } == {
        "gate": "freeze",
        "verdict": "reject",
        "code": "frozen",
        "until": "2026-11-30T07:00:00Z",
        "waivable": True,
        "waived_by": "",
    }
    assert facts.summary == (
        "The freeze `weekend` holds (fri 16:00 to mon 08:00, Europe/Berlin): Few people are around."
        " It ends Mon 2026-11-30 08:00 (Europe/Berlin)."
    )


async def test_outside_of_its_windows_a_service_may_be_deployed(context):
    ctx = context({"name": "checkout", "freezes": [WEEKEND]}, clock=clock(TUESDAY))
    assert (await gates.freeze(ctx, service="checkout")).data["verdict"] == "proceed"


async def test_a_freeze_that_no_emergency_opens_says_so(context):
    entry = {"name": "checkout", "freezes": [WEEKEND], "gates": {"waivable": []}}
    facts = await gates.freeze(context(entry, clock=clock(SATURDAY)), service="checkout")
    assert facts.data["waivable"] is False


async def test_a_service_that_is_not_there_is_no_open_gate(context):
    with pytest.raises(UnknownServiceError):
        await gates.freeze(context(), service="nowhere")
