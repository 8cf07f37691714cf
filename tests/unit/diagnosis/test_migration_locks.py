"""Whoever approves a migration reads what each statement keeps waiting, and how long in words."""

from __future__ import annotations

import pytest

from bot.migrations.assess import assess
from bot.migrations.locks import lock_lines


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("ALTER TABLE orders ADD COLUMN a int", "blocks reads and writes of orders for a moment"),
        (
            "ALTER TABLE orders ADD COLUMN a uuid DEFAULT gen_random_uuid()",
            "blocks reads and writes of orders while the whole table is rewritten",
        ),
        (
            "ALTER TABLE orders ALTER COLUMN a SET NOT NULL",
            "blocks reads and writes of orders while the whole table is read",
        ),
        (
            "ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0)",
            "blocks reads and writes of orders while the whole table is read",
        ),
        (
            "ALTER TABLE orders ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
            "blocks reads and writes of orders for a moment",
        ),
        ("CREATE INDEX i ON orders (a)", "blocks writes to orders while the whole table is read"),
        (
            "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE",
            "blocks reads and writes of orders until the end of the transaction",
        ),
        (
            "LOCK TABLE orders, shop.items IN SHARE MODE",
            "blocks writes to orders, shop.items until the end of the transaction",
        ),
        ("REINDEX TABLE orders", "blocks reads and writes of orders while the whole table is read"),
        ("CLUSTER orders", "blocks reads and writes of orders while the whole table is rewritten"),
        ("VACUUM FULL orders", "blocks reads and writes of orders while the whole table is rewritten"),
        ("TRUNCATE orders", "blocks reads and writes of orders for a moment"),
        (
            "DO $$ BEGIN PERFORM 1; END $$",
            "blocks reads and writes of what it changes for as long as it runs",
        ),
        ("CALL p()", "blocks reads and writes of what it changes for as long as it runs"),
    ],
)
def test_a_statement_that_keeps_others_waiting_has_a_line(sql, line):
    assert lock_lines([assess(sql)]) == [f"{line}: `{sql}`"]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY i ON orders (a)",
        "REINDEX TABLE CONCURRENTLY orders",
        "LOCK TABLE orders IN ROW EXCLUSIVE MODE",
        "VACUUM orders",
        "CREATE TABLE other (id int)",
        "SELECT 1",
    ],
)
def test_a_statement_that_keeps_nobody_waiting_has_none(sql):
    assert lock_lines([assess(sql)]) == []
