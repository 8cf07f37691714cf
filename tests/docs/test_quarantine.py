"""The quarantine stays short, and its entries are reviewed."""

from __future__ import annotations

import ast
from datetime import date, timedelta

import pytest

from bot.domain.clock import SystemClock
from tests.docs.pages import ROOT
from tests.quarantine import Entry, entries

MOST = 5
LONGEST = timedelta(days=90)
ENTRY = """
[[test]]
test = "tests/docs/test_quarantine.py::test_at_most_five_tests_are_in_quarantine"
since = 2026-12-01
cause = "It counts."
ends_when = "It counts no more."
"""


def exists(entry: Entry) -> bool:
    """Return whether its file defines a test of this name, parameters aside."""
    path, _, name = entry.test.partition("::")
    if not (ROOT / path).is_file():
        return False
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(node, kinds) and node.name == name.partition("[")[0] for node in tree.body)


def is_stale(entry: Entry, *, today: date) -> bool:
    """Return whether its last review is too long ago."""
    return today - entry.confirmed > LONGEST


def test_at_most_five_tests_are_in_quarantine():
    assert len(entries()) <= MOST


def test_every_entry_names_a_test_that_exists_a_cause_and_what_would_end_it():
    assert [entry.test for entry in entries() if not exists(entry)] == []
    assert [entry.test for entry in entries() if not (entry.cause.strip() and entry.ends_when.strip())] == []


def test_every_entry_was_looked_at_within_ninety_days():
    today = SystemClock().now().date()
    assert [entry.test for entry in entries() if is_stale(entry, today=today)] == []
    assert [entry.test for entry in entries() if entry.confirmed > today] == []


def test_an_old_or_misspelt_entry_would_be_found():
    (entry,) = entries(ENTRY)
    (renewed,) = entries(ENTRY + "renewed = 2027-02-01\n")
    assert exists(entry)
    assert not exists(Entry(**{**vars(entry), "test": entry.test + "_more"}))
    assert not exists(Entry(**{**vars(entry), "test": "tests/docs/nothing.py::test_x"}))
    assert not is_stale(entry, today=date(2027, 3, 1))
    assert is_stale(entry, today=date(2027, 3, 2))
    assert not is_stale(renewed, today=date(2027, 3, 2))
    with pytest.raises(TypeError):
        entries('[[test]]\ntest = "x"\n')


def test_an_entry_covers_its_test_with_every_parameter_and_no_other():
    (entry,) = entries(ENTRY)
    assert entry.covers(entry.test)
    assert entry.covers(f"{entry.test}[a]")
    assert not entry.covers(f"{entry.test}_again")
