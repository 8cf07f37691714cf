"""The Home tab shows firing alerts and the state of the monitors at a glance."""

from __future__ import annotations

from bot.views.blocks import flatten
from bot.views.home import HomeFacts, home_view
from tests.support.worlds import ANA
from tests.unit.views.oracle import assert_valid_view
from tests.unit.views.test_alert_modal_home_answers import FIRING
from tests.unit.views.test_monitors import CONDITIONS, NOW, sight


def test_home_shows_what_fires_and_who_is_on_it_first():
    taken = FIRING.model_copy(update={"acknowledged_by": ANA, "severity": "warning"})
    view = home_view(HomeFacts(now=NOW, services=["checkout"], firing=[FIRING, taken]))
    assert_valid_view(view)
    read = flatten(view["blocks"], names={ANA.id: "Ana"})
    assert read.startswith("Firing\n🔴 checkout: HighErrorRate · critical · since 2026-03-04 03:00 UTC\n🟠")
    assert "acknowledged by Ana" in read
    assert "All quiet" not in read


def test_home_counts_the_monitors_and_names_the_bad_ones():
    sights = [sight(c, name=f"checkout/{c[:3]}") for c in CONDITIONS]
    view = home_view(HomeFacts(now=NOW, services=["checkout"], monitors=sights))
    assert_valid_view(view)
    read = flatten(view["blocks"], names={})
    assert "Monitors\n🔴 1 firing · 🟠 1 unknown" in read
    assert "`checkout/fir`: firing" in read
    assert "`checkout/not`: not measured" in read
    assert "`checkout/ok`" not in read


def test_a_home_with_very_much_on_it_is_within_the_limits():
    view = home_view(
        HomeFacts(
            now=NOW,
            services=["checkout"],
            firing=[FIRING] * 100,
            monitors=[sight("firing", name=f"checkout/m{i}", value="x" * 999) for i in range(500)],
        )
    )
    assert_valid_view(view)
    read = flatten(view["blocks"], names={})
    assert "and 90 more alerts" in read
    assert "🔴 500 firing" in read
    assert "and 490 more with problems" in read
