"""The monitors that the guide shows can be copied."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from bot.bootstrap import load_plugins
from bot.domain.catalogue import Catalogue
from bot.domain.monitoring.monitor import Monitor
from bot.loader.monitor_rules import monitor_problems

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "monitors.md").read_text("utf-8")


def test_the_monitors_in_the_guide_are_sound():
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    catalogue = Catalogue.model_validate(yaml.safe_load(block))
    assert len(catalogue.monitors) == 4
    assert monitor_problems(catalogue, plugins=load_plugins(), runbooks=("triage",)) == ()


def test_every_field_of_a_monitor_is_in_the_guide():
    names = {field.alias or name for name, field in Monitor.model_fields.items()} - {"id", "title"}
    told = set(
        re.findall(r"`([a-z_]+)`", "\n".join(line for line in PAGE.splitlines() if line.startswith("|")))
    )
    assert names <= told
