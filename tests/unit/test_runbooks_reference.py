"""The pages about runbooks say what the models say, and their examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.runs.runbook import (
    ApprovalPolicy,
    Background,
    Check,
    Explore,
    FanOut,
    Param,
    Pipeline,
    Plan,
    Reduce,
    Remedy,
    Runbook,
    Step,
)
from bot.engine.plugins import scan
from bot.loader.loader import load_runbooks
from bot.loader.schema_errors import PHASES
from bot.templating.sandbox import ENVIRONMENT
from bot.templating.scope import READABLE_SETTINGS, RunFacts

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference" / "runbooks.md").read_text(encoding="utf-8")
HOW_TO = (ROOT / "docs" / "how-to" / "write-a-runbook.md").read_text(encoding="utf-8")
MODELS = (
    (Runbook, "## The file"),
    (Param, "### Params"),
    (Explore, "### `explore`"),
    (FanOut, "### `fan_out`"),
    (Reduce, "### `reduce`"),
    (Plan, "### `plan`"),
    (Remedy, "### `plan`"),
    (Pipeline, "### `pipeline`"),
    (Background, "### `background`"),
    (Step, "## Steps"),
    (ApprovalPolicy, "### Approvals"),
    (Check, "### Checks"),
)
OF_EVERY_PHASE = {"id", "kind", "title", "when"}


def section(heading: str) -> str:
    """The text under a heading, up to the next heading of the same or a higher level."""
    level = heading.partition(" ")[0]
    body = REFERENCE.partition(f"\n{heading}\n")[2]
    assert body, f"there is no `{heading}`"
    return re.split(rf"\n#{{1,{len(level)}}} ", body)[0]


@pytest.mark.parametrize(("model", "heading"), MODELS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_field_is_in_the_reference(model: type[BaseModel], heading: str) -> None:
    text = section(heading)
    names = {field.alias or name for name, field in model.model_fields.items()}
    if model in PHASES.values():
        names -= OF_EVERY_PHASE
    assert {name for name in names if f"`{name}`" not in text} == set()


@pytest.mark.parametrize(("model", "heading"), MODELS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_default_that_is_a_number_is_in_the_reference(model: type[BaseModel], heading: str) -> None:
    rows = {
        row.split("|")[1].strip(" `"): row.split("|")[2].strip(" `")
        for row in section(heading).splitlines()
        if row.count("|") > 3
    }
    for name, field in model.model_fields.items():
        if isinstance(field.default, int | float) and not isinstance(field.default, bool):
            assert float(rows[name].partition(" ")[0]) == float(field.default), name


def test_every_kind_filter_setting_and_name_is_in_the_reference() -> None:
    words = {*PHASES, *CauseKind, *ENVIRONMENT.filters, *READABLE_SETTINGS, *RunFacts.model_fields}
    assert {str(word) for word in words if f"`{word}`" not in REFERENCE} == set()


def test_no_filter_is_in_the_reference_that_does_not_exist() -> None:
    listed = REFERENCE.partition("\nFilters: ")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z]+)`", listed))
    assert named - set(ENVIRONMENT.filters) == set()


def test_the_example_of_the_how_to_loads_with_the_plugins_that_ship(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(name: .*?)```", HOW_TO, flags=re.DOTALL)
    (tmp_path / "restart.yaml").write_text(example, encoding="utf-8")
    plugins = scan("bot.probes", "bot.actions", third_parties=False)
    assert load_runbooks([tmp_path], plugins=plugins).names() == ("restart",)
