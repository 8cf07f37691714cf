"""Writes what ``pilothouse judge`` takes and says, from its models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel

from bot.domain.rollouts.judging import (
    Attempt,
    BurnRateMetric,
    BurnWindow,
    CanaryCase,
    CountMetric,
    CountsLook,
    JudgePolicy,
    LimitMetric,
    RequestTally,
    SampleMetric,
    Traffic,
)
from bot.domain.rollouts.verdict import CanaryVerdict, Forecast, Interval, MetricVerdict

EXAMPLE: dict[str, Any] = {
    "metrics": [
        {
            "kind": "counts",
            "name": "error_rate",
            "critical": True,
            "query": 'sum by (version) (increase(http_requests_total{service="checkout"}[1m]))',
            "looks": [
                {"at_s": 0, "weight": 0.1, "canary": {}, "stable": {}},
                {
                    "at_s": 60,
                    "weight": 0.1,
                    "canary": {"requests": 1040, "errors": 32},
                    "stable": {"requests": 9400, "errors": 38},
                },
            ],
        },
        {
            "kind": "samples",
            "name": "latency_p95",
            "unit": "s",
            "canary": [0.20, 0.21, 0.19, 0.22, 0.20, 0.23, 0.18, 0.20, 0.21, 0.20, None],
            "stable": [0.20, 0.22, 0.19, 0.21, 0.20, 0.21, 0.18, 0.20, 0.20, 0.19, 0.21],
        },
        {"kind": "limit", "name": "memory", "unit": "ratio", "values": [0.61, 0.63], "at_most": 0.9},
    ],
    "traffic": {"requests_per_s": 174, "error_share": 0.004, "canary_share": 0.1, "window_s": 600},
}
_GIVEN = (
    CanaryCase,
    CountMetric,
    CountsLook,
    RequestTally,
    Attempt,
    SampleMetric,
    LimitMetric,
    BurnRateMetric,
    BurnWindow,
    JudgePolicy,
    Traffic,
)
_TOLD = (CanaryVerdict, MetricVerdict, Interval, Forecast)


def lines() -> Iterator[str]:
    """Render the page."""
    yield "# The input and output of the judge"
    yield ""
    yield (
        "`pilothouse judge < input.json` judges any data by the rules for canaries. It ends with 0 "
        "(proceed), 1 (stop), 3 (a person decides) or 2 (the input does not fit; each bad "
        "field is named by its path). "
        "`--json` prints the verdict as one object. How it judges: "
        "[How a canary is judged](../explanation/judging.md). A sample may also be written `NaN` (missing, "
        "as null) or `Inf` (an error) in quotes, as monitoring systems write them."
    )
    yield from ("", "## An example", "", "```json", json.dumps(EXAMPLE, indent=2), "```", "", "## Input")
    for model in _GIVEN:
        yield from _table(model, mode="validation")
    yield from ("", "## Output of `--json`", "")
    yield "One `CanaryVerdict`, with `forecast` beside its fields (a `Forecast`, or null without `traffic`)."
    for model in _TOLD:
        yield from _table(model, mode="serialization")
    yield from ("", "## JSON Schema of the input", "", "```json")
    yield json.dumps(CanaryCase.model_json_schema(), indent=1)
    yield "```"


def _table(model: type[BaseModel], *, mode: Literal["validation", "serialization"]) -> Iterator[str]:
    schema = model.model_json_schema(mode=mode)
    yield from ("", f"### {model.__name__}", "", (model.__doc__ or "").partition("\n\n")[0], "")
    yield "| Field | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    required = schema.get("required", ()) if mode == "validation" else ()
    for name, field in schema["properties"].items():
        default = "required" if name in required else _default(field, given=mode == "validation")
        meaning = " ".join(field.get("description", "").replace("``", "`").split()).replace("|", "\\|")
        yield f"| `{name}` | {_type(field)} | {default} | {meaning} |"


def _default(field: Mapping[str, Any], *, given: bool) -> str:
    if not given or field.get("default") in (None, "", []) or isinstance(field["default"], dict):
        return ""
    return f"`{json.dumps(field['default'])}`"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return f"`{field['$ref'].rpartition('/')[2]}`"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return " or ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if options := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(_type(option) for option in options)
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}" if "items" in field else "list"
    return f"{field.get('type', '')}{_range(field)}"


def _range(field: Mapping[str, Any]) -> str:
    signs = (("exclusiveMinimum", ">"), ("minimum", "≥"), ("exclusiveMaximum", "<"), ("maximum", "≤"))
    bounds = [f"{sign} {field[key]:g}" for key, sign in signs if key in field]
    return f" {', '.join(bounds)}" if bounds else ""
