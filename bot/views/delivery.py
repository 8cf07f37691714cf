"""The eight delivery metrics as text, beside those of elite teams, and their chart."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.board import DesiredMessage
from bot.domain.chart import Bars, Chart, ChartLimit, ChartLine, ChartPanel, Tone
from bot.domain.deployments.delivery import DAY_S, DeliveryMetrics, DurationSpread, Proportion
from bot.domain.documentation import DOCS
from bot.domain.formatting import duration, number, percent, several
from bot.views.blocks import context, header, message, section
from bot.views.limits import link, prose

ELITE_SOURCE = "elite: DORA, Accelerate State of DevOps 2024"
_WEEK, _MONTH = 7, 30
_MANY_A_DAY = 1.0
_MINUTE = 60


def delivery_messages(found: DeliveryMetrics) -> tuple[DesiredMessage, ...]:
    """Return the metrics as one message, with their chart below."""
    words = message(
        "delivery",
        [
            header(f"Delivery metrics: {_about(found)}, {several(found.days, 'day')}"),
            section(*delivery_lines(found)),
            context(ELITE_SOURCE, link(f"{DOCS}/how-to/delivery-metrics.md", "what each figure counts")),
        ],
        names={},
    )
    return (words.but(chart=delivery_chart(found)) if found.deployments else words,)


def delivery_lines(found: DeliveryMetrics) -> list[str]:
    """Return a line for each metric, with its counts; unknown values are shown as unknown."""
    if not found.deployments:
        aside = f" {_not_changed(found)}" if found.not_changed else ""
        return [f"Nothing was deployed in this period, so there is nothing to measure.{aside}"]
    lines = [
        f"*Deployment frequency:* {_frequency(found)} (elite: on demand, several times a day)",
        f"*Success rate:* {_counted(found.success)} completed",
        f"*Change failure rate:* {_counted(found.failures)} (elite: 5 %)",
        f"*Time to recovery:* {_recovery(found)} (elite: less than an hour)",
        f"*Uptime:* {_uptime(found)}",
        f"*Duration:* {_spread(found.duration)}, from approval to completion",
        f"*Rollbacks:* {_rollbacks(found)}",
        f"*Cost of failed changes:* {_cost(found)}",
    ]
    return [*lines, _not_changed(found)] if found.not_changed else lines


def delivery_chart(found: DeliveryMetrics) -> Chart:
    """Return the chart of the deployments' outcomes over time, and of how long they took."""
    spans = "week" if found.bucket_s > DAY_S else "day"
    starts = [bucket.start.timestamp() for bucket in found.buckets]
    bars = (
        _bars("succeeded", "good", starts, [bucket.succeeded for bucket in found.buckets]),
        _bars("rolled back", "second", starts, [bucket.put_back for bucket in found.buckets]),
        _bars("failed", "bad", starts, [bucket.failed for bucket in found.buckets]),
    )
    panels = [ChartPanel(unit=f"deployments a {spans}", bars=bars, bar_s=found.bucket_s)]
    if found.duration is not None:
        took = ChartLine(
            name="duration of each deployment",
            points=tuple((at_s, took_s / _MINUTE) for at_s, took_s in sorted(found.durations)),
            dots=True,
        )
        median = ChartLimit(value=found.duration.median_s / _MINUTE, text="median", tone="muted")
        panels.append(ChartPanel(unit="duration (min)", lines=(took,), limits=(median,)))
    return Chart(
        title=f"Delivery metrics: {_about(found)}, {several(found.days, 'day')}",
        alt=_alt(found),
        panels=tuple(panels),
        source="the record of deployments",
    )


def _bars(name: str, tone: Tone, starts: Sequence[float], counts: Sequence[int]) -> Bars:
    points = tuple((at_s, float(count)) for at_s, count in zip(starts, counts, strict=True))
    return Bars(name=name, points=points, tone=tone)


def _alt(found: DeliveryMetrics) -> str:
    failed = found.failures.some
    went = f"{failed} of them failed or were rolled back" if failed else "none of them failed"
    took = f"; half of them took less than {duration(found.duration.median_s)}" if found.duration else ""
    return f"{several(found.deployments, 'deployment')} in {several(found.days, 'day')}, {went}{took}."


def _about(found: DeliveryMetrics) -> str:
    return prose(found.service, 130) if found.service else "all services in production"


def _frequency(found: DeliveryMetrics) -> str:
    count = several(found.deployments, "deployment")
    if found.per_day >= _MANY_A_DAY:
        return f"{number(found.per_day)} a day, {count}"
    if found.per_day * _WEEK >= _MANY_A_DAY:
        return f"{number(found.per_day * _WEEK)} a week, {count}"
    return f"{number(found.per_day * _MONTH)} in {_MONTH} days, {count}"


def _counted(counted: Proportion) -> str:
    if counted.share is None:
        return "not known"
    return f"{counted.some} of {counted.of} ({percent(counted.share)})"


def _spread(spread: DurationSpread | None) -> str:
    if spread is None:
        return "not known"
    if spread.count == 1:
        return f"{duration(spread.median_s)}, one deployment"
    return f"median {duration(spread.median_s)}, 90 % within {duration(spread.p90_s)}"


def _recovery(found: DeliveryMetrics) -> str:
    if not found.failures.some:
        return "nothing to recover from"
    still = f"{found.unrecovered} not recovered yet" if found.unrecovered else ""
    if found.recovery is None:
        return still
    of = f"{found.recovery.count} of {found.failures.some}"
    spread = f"median {duration(found.recovery.median_s)}, 90 % within {duration(found.recovery.p90_s)}"
    first = spread if found.recovery.count > 1 else duration(found.recovery.median_s)
    return f"{first}, {of} failures" + (f"; {still}" if still else "")


def _uptime(found: DeliveryMetrics) -> str:
    known = f"{duration(found.impaired_s)} with a failed change live" if found.impaired_s else (
        "no failed change was live"
    )  # fmt: skip
    return f"at most {percent(found.uptime)} ({known}; outages of other kinds are not counted)"


def _rollbacks(found: DeliveryMetrics) -> str:
    if not found.rollbacks + found.put_back:
        return f"none in {several(found.deployments, 'deployment')}"
    deployments = several(found.deployments, "deployment")
    return f"{found.rollbacks} requested, {found.put_back} automatic, in {deployments}"


def _cost(found: DeliveryMetrics) -> str:
    if found.cost is None:
        return "not known: set what a minute costs (`cost:` of the service in the catalogue)"
    return f"{number(found.cost)} {prose(found.currency, 10)}"


def _not_changed(found: DeliveryMetrics) -> str:
    return f"Not counted: {several(found.not_changed, 'deployment')} that ended before changing anything."
