"""What the guides show can be copied: catalogues and runbooks load as they stand."""

from __future__ import annotations

import re

import pytest
import yaml

from bot.adapters.files.catalogue_file import load_catalogue
from bot.bootstrap import load_plugins
from bot.loader.loader import load_runbooks
from tests.docs.pages import ROOT

GUIDES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
BLOCKS = [
    (f"{page.name}-{number}", block)
    for page in GUIDES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]
CATALOGUES = [(name, block) for name, block in BLOCKS if re.search(r"^services:", block, re.MULTILINE)]
RUNBOOKS = [
    (name, block)
    for name, block in BLOCKS
    if re.search(r"^phases:", block, re.MULTILINE)
    and not name.startswith("write-a-plugin-package")  # it needs its package: tests/packaging loads it
]


def test_there_are_examples_of_both():
    assert len(CATALOGUES) >= 8
    assert RUNBOOKS


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_every_example_is_yaml(block):
    assert yaml.safe_load(block)


@pytest.mark.parametrize("block", [block for _, block in CATALOGUES], ids=[name for name, _ in CATALOGUES])
def test_every_catalogue_that_a_guide_shows_loads(block, tmp_path):
    path = tmp_path / "catalogue.yaml"
    path.write_text(block, encoding="utf-8")
    assert load_catalogue(path, {}).names


@pytest.mark.parametrize("block", [block for _, block in RUNBOOKS], ids=[name for name, _ in RUNBOOKS])
def test_every_runbook_that_a_guide_shows_loads(block, tmp_path):
    (tmp_path / "shown.yaml").write_text(block, encoding="utf-8")
    assert load_runbooks((tmp_path,), plugins=load_plugins(), services=None).names()
