"""A canary under judgement: what was read of it at each look, and how people steered its rollout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, assert_never

from pydantic import Field, ValidationError

from bot.domain.model import Instant, JsonObject, Model
from bot.domain.people import Person
from bot.domain.rollouts.judging import (
    BurnRateMetric,
    CanaryCase,
    CountMetric,
    CountsLook,
    JudgePolicy,
    LimitMetric,
    Metric,
    SampleMetric,
)

SteeringWord = Literal["promote", "pause", "resume", "abort"]

_BLIND_LOOKS = 3
"""This many looks in a row without an answer are an error of the metric; fewer are a gap."""


class MetricReading(Model):
    """What one look read of one metric; ``error`` is why it could not."""

    data: JsonObject = Field(default_factory=dict)
    error: str = ""


class CanaryReading(Model):
    """One look of a judge: what it read, by the metric's name."""

    at_s: float = Field(ge=0)
    """Seconds since the first look."""
    seen: dict[str, MetricReading]


class Steered(Model):
    """One instruction of a person to a rollout under way."""

    word: SteeringWord
    by: Person
    at: Instant


class RolloutSteering(Model):
    """How people steered a rollout under way; the latest pause or resume counts, an abort is final."""

    promoted_by: Person | None = None
    paused_by: Person | None = None
    aborted_by: Person | None = None
    keys: frozenset[str] = frozenset()
    said: tuple[Steered, ...] = ()
    """Every instruction, in order."""

    def told(self, word: SteeringWord, *, by: Person, at: datetime, key: str) -> RolloutSteering:
        """Return the state after one more instruction; the same click again changes nothing."""
        if key and key in self.keys:
            return self
        keys, said = self.keys | {key}, (*self.said, Steered(word=word, by=by, at=at))
        match word:
            case "promote":
                return self.but(promoted_by=by, paused_by=None, keys=keys, said=said)
            case "pause":
                return self.but(paused_by=by, keys=keys, said=said)
            case "resume":
                return self.but(paused_by=None, keys=keys, said=said)
            case "abort":
                return self.but(aborted_by=by, keys=keys, said=said)
            case _:
                assert_never(word)


def case_of(
    rules: Sequence[Metric],
    readings: Sequence[CanaryReading],
    *,
    policy: JudgePolicy,
    counted: Sequence[CanaryReading] = (),
) -> CanaryCase:
    """Return the case for a judge: the rules with what was read.

    Counters are judged over ``counted``, all that was read since the rollout's first share and in seconds
    since then; over ``readings`` where that is not given.

    A counter's probe gives ``canary`` and ``stable`` with ``requests`` and ``errors``; a sample's gives a
    number for each, under the metric's own name; a limit's gives ``value``.
    """
    since_first = counted or readings
    filled = [_filled(rule, since_first if isinstance(rule, CountMetric) else readings) for rule in rules]
    return CanaryCase(metrics=tuple(filled), policy=policy)


def thinned(readings: Sequence[CanaryReading], *, most: int) -> tuple[CanaryReading, ...]:
    """Return about ``most`` of the readings, evenly spaced, the first and the last among them."""
    every = max(1, len(readings) // most)
    return (*readings[:-1:every], *readings[-1:])


def _filled(rule: Metric, readings: Sequence[CanaryReading]) -> Metric:
    seen = [(reading.at_s, reading.seen[rule.name]) for reading in readings if rule.name in reading.seen]
    latest = [one.error for _, one in seen[-_BLIND_LOOKS:]]
    if len(latest) == _BLIND_LOOKS and all(latest):
        return rule.model_copy(update={"error": latest[-1]})
    read = [(at_s, one.data) for at_s, one in seen if not one.error]
    try:
        return _with_data(rule, read)
    except (KeyError, TypeError, ValidationError) as error:
        return rule.model_copy(update={"error": f"its probe returned something else: {type(error).__name__}"})


def _with_data(rule: Metric, read: Sequence[tuple[float, JsonObject]]) -> Metric:
    given = rule.model_dump()
    match rule:
        case CountMetric():
            looks = [
                CountsLook.model_validate({"at_s": at_s, "weight": data.get("weight"), **_tallies(data)})
                for at_s, data in read
            ]
            return CountMetric.model_validate({**given, "looks": looks})
        case SampleMetric():
            sides = {
                side: [_number(data, side, rule.name) for _, data in read] for side in ("canary", "stable")
            }
            return SampleMetric.model_validate({**given, **sides})
        case LimitMetric():
            return LimitMetric.model_validate({**given, "values": [data["value"] for _, data in read]})
        case BurnRateMetric():
            latest = read[-1][1] if read else {}
            return BurnRateMetric.model_validate({**given, **latest})
        case _:
            assert_never(rule)


def _tallies(data: JsonObject) -> dict[str, object]:
    return {side: _pick(data[side], ("requests", "errors")) for side in ("canary", "stable")}


def _pick(data: object, names: Sequence[str]) -> dict[str, object]:
    if not isinstance(data, dict):
        raise TypeError("one side of a canary is not an object")
    return {name: data[name] for name in names}


def _number(data: JsonObject, side: str, name: str) -> object:
    found = data[side]
    return found.get(name) if isinstance(found, dict) else found
