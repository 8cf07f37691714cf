"""The burn rate of error budgets against a real Prometheus that is given ninety minutes of history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.clock import SystemClock
from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.monitoring.slo import Slo
from bot.probes.prometheus.probes import burn_rate
from tests.support.servers import answering, free_port, hanging, http_server, kept, prometheus

STEP_S = 15
MINUTES = 90
FAILING: dict[str, Callable[[float], float]] = {
    "steady": lambda minutes_ago: 0.01,
    "over": lambda minutes_ago: 0.1 if 10 < minutes_ago <= 50 else 0.0,
    "blip": lambda minutes_ago: 0.2 if minutes_ago <= 2 else 0.0,
    "well": lambda minutes_ago: 0.0,
}


def history(end_s: int) -> str:
    """Two counters a service, 10 requests a second of which a share fails; one of each kind stands still."""
    lines = ["# TYPE asked counter"]
    for name, failing in FAILING.items():
        good, total = 0.0, 0.0
        for at_s in range(end_s - MINUTES * 60, end_s + 1, STEP_S):
            total += 10 * STEP_S
            good += 10 * STEP_S * (1 - failing((end_s - at_s) / 60))
            lines.append(f'asked_total{{service="{name}",kind="all"}} {total} {at_s}')
            lines.append(f'asked_total{{service="{name}",kind="good"}} {good} {at_s}')
    for at_s in range(end_s - MINUTES * 60, end_s + 1, STEP_S):
        lines.append(f'asked_total{{service="idle",kind="all"}} 7 {at_s}')
        lines.append(f'asked_total{{service="dead",kind="all"}} {at_s - end_s + MINUTES * 60} {at_s}')
    # The format wants each series in one piece.
    return "\n".join([lines[0], *sorted(lines[1:], key=lambda line: line.partition("}")[0]), "# EOF"]) + "\n"


class At:
    def __init__(self, seconds: float) -> None:
        self._at = datetime.fromtimestamp(seconds, UTC)

    def now(self) -> datetime:
        return self._at


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[str, At]]:
    end_s = int(SystemClock().now().timestamp()) - 60
    with kept(prometheus({}, history=history(end_s))) as url:
        yield url, At(end_s)


def rate(name: str, kind: str) -> str:
    return f'sum(rate(asked_total{{service="{name}",kind="{kind}"}}[$window]))'


def service(name: str, url: str, **slo: Any) -> dict[str, Any]:
    measured = slo or {"good": rate(name, "good"), "total": rate(name, "all")}
    slos = [{"name": "availability", "objective": 0.999, **measured}]
    return {"name": name, "slos": slos, "sources": {"prometheus": {"url": url}}}


async def burn(context, told: tuple[str, At], name: str, **slo: Any) -> Measurement:
    url, clock = told
    return await burn_rate(context(service(name, url, **slo), clock=clock, timeout_s=10), service=name)


@pytest.mark.server
async def test_one_percent_of_errors_burns_a_tenth_of_a_percent_ten_times_as_fast(context, told):
    seen = await burn(context, told, "steady")
    assert (seen.value, seen.data["long"]) == (pytest.approx(10, rel=0.01), pytest.approx(10, rel=0.01))
    assert seen.data["spent_in_s"] == pytest.approx(3 * 86_400, rel=0.01)
    assert "[3600s]" in seen.query
    assert seen.text.startswith(
        "steady: the error budget of availability burns at 10 times the allowed rate over 1 h"
    )


@pytest.mark.server
async def test_what_is_over_does_not_burn_however_much_it_spent(context, told):
    seen = await burn(context, told, "over")
    assert (seen.value, seen.data["short"]) == (pytest.approx(0, abs=0.01), pytest.approx(0, abs=0.01))
    assert seen.data["long"] > 60


@pytest.mark.server
async def test_a_blip_burns_as_little_as_the_long_window_says(context, told):
    ratio = f"1 - {rate('blip', 'good')} / {rate('blip', 'all')}"
    seen = await burn(context, told, "blip", error_ratio=ratio)
    assert seen.data["short"] > 50
    assert seen.value == seen.data["long"]
    assert 5 < seen.value < 9


@pytest.mark.server
async def test_all_is_well_and_all_is_lost_are_both_told(context, told):
    well = await burn(context, told, "well")
    dead = await burn(context, told, "dead")  # it has no series of good answers at all
    assert (well.value, well.data["spent_in_s"]) == (pytest.approx(0, abs=0.01), None)
    assert dead.value == pytest.approx(1000)


@pytest.mark.server
@pytest.mark.parametrize("name", ["idle", "unheard-of"])
async def test_no_traffic_is_unavailable_and_not_a_burn_of_0(context, told, name):
    with pytest.raises(ProbeUnavailableError, match="no traffic for the SLO availability") as failed:
        await burn(context, told, name)
    assert "asked_total" in failed.value.hint


@pytest.mark.server
async def test_a_query_of_many_series_is_garbage_and_one_that_is_wrong_unavailable(context, told):
    with pytest.raises(ProbeGarbageError, match="series, not one"):
        await burn(context, told, "steady", error_ratio="rate(asked_total[$window])")
    with pytest.raises(ProbeUnavailableError, match="400"):
        await burn(context, told, "steady", error_ratio="sum(([$window]")


async def test_a_prometheus_that_is_gone_silent_or_another_is_unavailable(context):
    gone = context(service("shop", f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(ProbeUnavailableError, match="cannot be reached"):
        await burn_rate(gone, service="shop")
    async with http_server({"/api/v1/query": hanging}) as url:
        with pytest.raises(ProbeUnavailableError, match="did not answer within"):
            await burn_rate(context(service("shop", url), timeout_s=0.2), service="shop")
    async with http_server({"/api/v1/query": answering("<html>")}) as url:
        with pytest.raises(ProbeGarbageError):
            await burn_rate(context(service("shop", url)), service="shop")


async def test_an_slo_that_is_not_there_or_not_named_is_not_configured(context):
    one = {"objective": 0.99, "error_ratio": "x[$window]"}
    shop = {"name": "shop", "slos": [{"name": "speed", **one}, {"name": "answers", **one}]}
    ctx = context(shop, {"name": "pay"})
    for asked, said in (
        ({"service": "pay"}, "pay has no SLO."),
        ({"service": "shop"}, "name one: speed and answers"),
        ({"service": "shop", "slo": "sped"}, "no SLO called `sped` (did you mean `speed`?)"),
    ):
        with pytest.raises(ProbeNotConfiguredError) as failed:
            await burn_rate(ctx, **asked)
        assert said in str(failed.value)


def test_an_error_ratio_a_little_outside_is_taken_as_the_end_it_is_near():
    slo = Slo(name="s", objective=0.5, good="g[$window]", total="t[$window]")
    assert slo.ratio_of(good=10.1, total=10) == 0
    assert slo.ratio_of(good=5, total=10) == 0.5
    assert slo.ratio_of(good=5, total=0) is None
    assert slo.burn(0.25) == 0.5
