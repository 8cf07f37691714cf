"""Whoever is refused is told what to write instead."""

from __future__ import annotations

import pytest

from bot.migrations.assess import assess
from bot.migrations.rulings import Rollback
from bot.migrations.suggestions import instead_of
from tests.support.migrations import labelled


@pytest.mark.parametrize(
    ("sql", "advice"),
    [
        ("ALTER TABLE t DROP COLUMN a", "First release a version that does not use it"),
        ("DROP TABLE t", "First release a version that does not use it"),
        ("TRUNCATE t", "First release a version that does not use it"),
        ("ALTER TABLE t RENAME a TO b", "Add the new one beside the old one"),
        ("ALTER TABLE t ALTER a TYPE int USING a::int", "Add the new one beside the old one"),
        ("UPDATE t SET a = 1", "Write the new values into a new column"),
        ("ALTER TABLE t ALTER a SET NOT NULL", "NOT VALID"),
        ("ALTER TABLE t ADD a int NOT NULL", "constant default"),
        ("DO $$ BEGIN END $$", "Write plain statements"),
        ("SELECT purge()", "Write plain statements"),
        ("this is no SQL", "Write plain statements"),
        ("GRANT SELECT ON t TO someone", "previous version does not notice"),
    ],
)
def test_the_advice_fits_the_statement(sql, advice):
    assert advice in instead_of(sql)


def test_every_statement_that_is_ever_refused_has_advice():
    refused = [
        one.sql
        for case in labelled()
        for one in assess(case.sql).statements
        if one.rollback is Rollback.IMPOSSIBLE
    ]
    assert len(refused) > 15
    assert all(instead_of(sql) for sql in refused)
