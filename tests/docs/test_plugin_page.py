"""What plugin packages may import is what their page promises."""

from __future__ import annotations

import re

import bot.api
import bot.testing
from bot.engine.plugins import Context
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "how-to" / "write-a-plugin-package.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.+?) \| (.+) \|$", PAGE.partition("## What you may import")[2], re.MULTILINE)


def test_every_name_of_the_api_is_on_the_page_and_no_other():
    documented = [name for names, _ in ROWS for name in re.findall(r"`(\w+)`", names)]
    assert sorted(documented) == sorted(bot.api.__all__)


def test_the_api_holds_nothing_but_what_it_promises():
    public = {name for name in vars(bot.api) if not name.startswith("_")} - {"annotations"}
    assert public == set(bot.api.__all__)


def test_every_helper_for_tests_is_on_the_page():
    assert bot.testing.__all__
    assert [name for name in bot.testing.__all__ if f"`{name}`" not in PAGE] == []


def test_what_is_promised_of_a_context_is_there():
    (promised,) = (text.partition(";")[0] for names, text in ROWS if names == "`Context`")
    names = re.findall(r"`(\w+)(?:\(\))?`", promised)
    assert len(names) == 10
    assert [
        name for name in names if name not in Context.__annotations__ and not hasattr(Context, name)
    ] == []
    assert [
        name
        for name in names
        if f"``{name}``" not in bot.api.__doc__ and f"``{name}()``" not in bot.api.__doc__
    ] == []
