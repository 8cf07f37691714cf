"""What people type after `/monitor` is understood, or answered with what to type."""

from __future__ import annotations

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.errors import UnknownServiceError, UsageError
from bot.services.parsing.monitors import MonitorRequest, parse_monitor_words

_LOOK = {"probe": "worlds.measure", "expect": "result.value < 5"}
CATALOGUE = Catalogue.model_validate(
    {
        "services": [
            {"name": "checkout", "monitors": [{"id": "errors", **_LOOK}, {"id": "health", **_LOOK}]},
            {"name": "payments", "monitors": [{"id": "health", **_LOOK}]},
        ]
    }
)


def understood(text, catalogue=CATALOGUE):
    return parse_monitor_words(text, catalogue=catalogue, command="/monitor")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("list", MonitorRequest(verb="list")),
        ("LIST Checkout", MonitorRequest(verb="list", name="checkout")),
        ("show checkout/health", MonitorRequest(verb="show", name="checkout/health")),
        ("show `errors`", MonitorRequest(verb="show", name="checkout/errors")),
        ("test Errors", MonitorRequest(verb="test", name="checkout/errors")),
        ("pause errors", MonitorRequest(verb="pause", name="checkout/errors")),
        ("pause errors 2h", MonitorRequest(verb="pause", name="checkout/errors", seconds=7200)),
        ("mute payments/health for 1h30m", MonitorRequest(verb="mute", name="payments/health", seconds=5400)),
        ("unmute errors", MonitorRequest(verb="unmute", name="checkout/errors")),
    ],
)
def test_words_are_understood_as_people_write_them(text, meant):
    assert understood(text) == meant


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("pasue errors", "did you mean `pause`", "`/monitor help`"),
        ("show", "Which monitor?", "`checkout/errors`, `checkout/health`, `payments/health`"),
        ("show health", "Several services", "`checkout/health`, `payments/health`"),
        ("show erors", "did you mean `checkout/errors`", "`payments/health`"),
        ("show chekout/errors", "did you mean `checkout/errors`", ""),
        ("show zzz", "Unknown monitor `zzz`.", "`checkout/errors`"),
        ("mute errors", "For how long?", "`/monitor mute errors 2h`"),
        ("mute errors soon", "`soon` is not a valid duration", "`/monitor mute errors 2h`"),
        ("pause errors 31d", "30 days", "`/monitor pause errors 2h`"),
        ("pause errors 2h please", "I do not understand `please`", "`/monitor pause errors 2h`"),
        ("resume errors 2h", "I do not understand `2h`", "`/monitor resume errors`"),
        ("list checkout payments", "I do not understand `payments`", "`/monitor`"),
    ],
)
def test_what_is_not_understood_is_answered_with_what_to_type(text, says, hint):
    with pytest.raises(UsageError) as told:
        understood(text)
    assert says in str(told.value)
    assert hint in told.value.hint


def test_the_list_of_a_service_nobody_knows_names_the_nearest():
    with pytest.raises(UnknownServiceError, match="did you mean `checkout`"):
        understood("list chekout")


def test_without_any_monitor_the_hint_says_so():
    with pytest.raises(UsageError) as told:
        understood("show errors", Catalogue())
    assert "monitors yet" in told.value.hint
