"""What the guide to the gates shows can be copied, and it lists every gate and every command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from bot.bootstrap import load_plugins
from bot.domain.catalogue import Catalogue
from bot.domain.deployments.gate import GateName, Gates
from bot.loader.probe_rules import checklist_problems
from handlers import _deploy_checklist, _deploy_gates

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "gates-and-freezes.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_the_catalogues_in_the_guide_are_sound(block):
    catalogue = Catalogue.model_validate(yaml.safe_load(block))
    assert checklist_problems(catalogue, plugins=load_plugins()) == ()


def test_every_gate_every_setting_and_every_word_is_in_the_guide():
    assert [gate for gate in get_args(GateName) if f"`gates.{gate}`" not in PAGE] == []
    assert [name for name in Gates.model_fields if f"{name}:" not in PAGE] == []
    words = {**_deploy_gates.WORDS, **_deploy_checklist.WORDS}
    assert [word for word in words if f"/deploy {word}" not in PAGE] == []
