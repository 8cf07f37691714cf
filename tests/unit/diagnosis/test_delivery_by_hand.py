"""The figures of `/deploy stats` can be worked out by hand from the lines of `/deploy history`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deployments.deployment import Deployment
from bot.engine.deployment_records import replaced_deployment
from bot.services.delivery_metrics import delivery
from bot.testing.deployments import MemoryDeploymentStore
from bot.testing.memory import MemoryMessageBoard
from bot.views.deployment import MOST_LISTED, history_lines
from tests.support.worlds import ANA, START, HandClock

UNTIL, DAYS = START, 30
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_WENT = {"deployed", "rolled back", "failed"}


@dataclass
class Line:
    """One line of the list, as a person reads it."""

    before: str
    version: str
    is_rollback: bool
    went: str
    asked: float
    changed: bool
    began: float = 0.0
    ended: float = 0.0
    took: float = 0.0


def read(text: str) -> Line:
    versions, what, _, day, *rest = text.split(" · ")
    before, *_, version = 2 * re.findall(r"`([^`]+)`", versions)  # the same version again is named once
    strategy, _, went = what.partition(", ")
    asked = float(re.search(r"\^(\d+)\^", day)[1])
    line = Line(
        before, version, strategy == "rollback", went, asked, changed="nothing was changed" not in rest
    )
    if line.changed:
        after = next((seconds(part) for part in rest if part.startswith("began after")), 0.0)
        line.took = next(seconds(part) for part in rest if part.startswith("in "))
        line.began, line.ended = asked + after, asked + after + line.took
    return line


def seconds(text: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+) (min|s|h|d)\b", text))


def failures_of(lines: list[Line]) -> list[tuple[float, float | None]]:
    """Find the failed changes: when each began to do harm, and when the service was back."""
    found: list[tuple[float, float | None]] = []
    for line in lines:
        if line.is_rollback or not line.changed:
            continue
        taken_back = [
            one for one in lines if one.is_rollback and one.changed and reversed_by(one, lines) is line
        ]
        if line.went == "rolled back":
            found.append((line.began, line.ended))
        elif line.went != "deployed":
            found.append((line.began, back(line, lines)))
        elif taken_back:
            takes_back = taken_back[-1]  # the first of them: the list begins with the newest
            well = takes_back.went == "deployed"
            found.append((takes_back.asked, takes_back.ended if well else back(takes_back, lines)))
    return found


def reversed_by(rollback: Line, lines: list[Line]) -> Line | None:
    """Find what a rollback takes back: the latest deployment before it of the version that it replaces."""
    mine = [one for one in lines if one.changed and not one.is_rollback and one.asked < rollback.asked]
    latest = next((one for one in mine if one.version == rollback.before), None)  # newest first
    return latest if latest is not None and latest.went in {"deployed", "failed"} else None


def back(failed: Line, lines: list[Line]) -> float | None:
    good = [one.ended for one in lines if one.changed and one.went == "deployed" and one.asked > failed.asked]
    return min(good, default=None)


def impaired(failures: list[tuple[float, float | None]]) -> float:
    total, reached = 0.0, 0.0
    for began, ended in sorted(failures, key=lambda one: one[0]):
        start = max(began, reached)
        reached = max(start, min(ended if ended is not None else UNTIL.timestamp(), UNTIL.timestamp()))
        total += reached - start
    return total


@st.composite
def histories(draw: st.DrawFn) -> list[Deployment]:
    """Make up to twenty deployments and rollbacks of one service, the oldest first, in whole minutes."""
    gaps = draw(st.lists(st.integers(1, 600), min_size=0, max_size=MOST_LISTED))
    at, serving, found = UNTIL - timedelta(days=20), "v0", []
    for number, gap in enumerate(gaps):
        at += timedelta(minutes=gap)
        outcome = draw(
            st.sampled_from(
                ["succeeded", "succeeded", "rolled_back", "failed", "rejected", "expired", "withdrawn"]
            )
        )
        is_rollback = draw(st.booleans())
        changed = outcome in ("succeeded", "rolled_back") or (outcome == "failed" and draw(st.booleans()))
        if is_rollback and outcome == "rolled_back":
            outcome = "failed"
        version = draw(st.sampled_from(["v0", "v1", "v2"])) if is_rollback else f"v{number % 4}"
        began = at + timedelta(minutes=draw(st.integers(0, 30)) if changed else 0)
        ended = began + timedelta(minutes=draw(st.integers(1, 59)))
        found.append(
            Deployment(
                id=f"r{number}", service="checkout", strategy="rollback" if is_rollback else "canary",
                version=version, previous_version=serving, requested_by=ANA, requested_at=at,
                started_at=began, finished_at=ended, outcome=outcome, changed=changed,
            )
        )  # fmt: skip
        serving = version if changed and outcome == "succeeded" else serving
    return found


async def recorded(deployments: list[Deployment]) -> MemoryDeploymentStore:
    """Record them in order, as their runs do: a rollback with what it takes back."""
    store = MemoryDeploymentStore(HandClock(UNTIL), board=MemoryMessageBoard())
    for one in deployments:
        reverses = await replaced_deployment(store, one) if one.is_rollback and one.changed else ""
        await store.record(one.but(rollback_of=reverses))
    return store


@given(deployments=histories())
async def test_every_figure_is_the_one_that_the_list_gives(deployments: list[Deployment]):
    store = await recorded(deployments)
    known = await store.of("checkout", limit=MOST_LISTED)
    found = delivery(known, service="checkout", days=DAYS, until=UNTIL)
    lines = [read(text) for text in history_lines(known, service="checkout", now=UNTIL)[1:]] if known else []
    forward = [line for line in lines if line.changed and not line.is_rollback]
    failures = failures_of(lines)
    ended = [end - began for began, end in failures if end is not None]
    assert found.deployments == len(forward)
    assert (found.success.some, found.success.of) == (
        sum(one.went == "deployed" for one in forward),
        len(forward),
    )
    assert (found.failures.some, found.failures.of) == (len(failures), len(forward))
    assert found.rollbacks == sum(one.is_rollback and one.changed for one in lines)
    assert found.put_back == sum(one.went == "rolled back" for one in forward)
    assert found.not_changed == sum(not one.changed for one in lines)
    assert found.unrecovered == sum(end is None for _, end in failures)
    assert (found.recovery.median_s if found.recovery else None) == (
        pytest.approx(median(ended)) if ended else None
    )
    took = [one.took for one in forward]
    assert (found.duration.median_s if found.duration else None) == (
        pytest.approx(median(took)) if took else None
    )
    assert found.impaired_s == pytest.approx(impaired(failures))
    assert found.uptime == pytest.approx(max(0.0, 1 - impaired(failures) / (DAYS * 86_400)))


def test_a_line_is_read_as_a_person_reads_it():
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    one = Deployment(
        id="r1", service="checkout", strategy="canary", version="1.5.0", previous_version="1.4.2", requested_by=ANA,
        requested_at=at, started_at=at + timedelta(minutes=5), finished_at=at + timedelta(minutes=70), outcome="succeeded",
        changed=True,
    )  # fmt: skip
    (text,) = history_lines([one], service="checkout", now=at)[1:]
    assert text.endswith("· began after 5 min · in 1 h 5 min")
    line = read(text)
    assert (line.before, line.version, line.went) == ("1.4.2", "1.5.0", "deployed")
    assert (line.began - line.asked, line.ended - line.began) == (300, 3900)
