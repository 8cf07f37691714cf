"""What a migration promises is read from its SQL, and held against what is there."""

from __future__ import annotations

import pytest

from bot.migrations.database import TableFacts
from bot.migrations.postconditions import Promise, SchemaObject, promised_by
from bot.migrations.verify import CatalogueState, losses, shortfalls, to_count


def titles(things: frozenset[SchemaObject]) -> list[str]:
    return sorted(thing.title for thing in things)


def test_what_is_added_is_expected_and_what_is_dropped_is_not():
    promise = promised_by(
        [
            "CREATE TABLE coupons (id int, CONSTRAINT few CHECK (id < 9)); CREATE VIEW v AS SELECT 1;",
            "ALTER TABLE orders ADD cents bigint, DROP COLUMN note, ALTER status SET NOT NULL;",
            "CREATE INDEX CONCURRENTLY by_cents ON public.orders (cents);",
            "CREATE INDEX of_bill ON billing.bills (id); DROP TABLE old; DROP INDEX billing.gone;",
        ]
    )
    assert titles(promise.there) == [
        "the column coupons.id",
        "the column orders.cents",
        "the constraint coupons.few",
        "the index billing.of_bill",
        "the index by_cents",
        "the table or view coupons",
        "the table or view v",
    ]
    assert titles(promise.gone) == [
        "the column orders.note",
        "the index billing.gone",
        "the table or view old",
    ]
    assert titles(promise.not_null) == ["the column orders.status"]
    assert promise.touched == {"coupons", "v", "orders", "billing.bills"}
    assert promise.loses == {"old"}


@pytest.mark.parametrize(
    ("sql", "there"),
    [
        ("ALTER TABLE t ADD a int; ALTER TABLE t DROP a", []),
        ("ALTER TABLE t ADD a int; ALTER TABLE t RENAME a TO b", ["the column t.b"]),
        ("CREATE TABLE t (a int); DROP TABLE t", []),
        ("CREATE TABLE t (a int); ALTER TABLE t RENAME TO u", ["the table or view u"]),
        ("CREATE INDEX i ON t (a); DROP TABLE t", []),
        ("CREATE INDEX i ON t (a); ALTER TABLE t DROP a", []),
        ("CREATE TEMPORARY TABLE t (a int)", []),
        ("DO $$ BEGIN CREATE TABLE t (a int); END $$", []),
        ("this is no SQL", []),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", ["the constraint t.b"]),
        ("ALTER INDEX i RENAME TO j", []),
        ("CREATE TABLE t AS SELECT 1", ["the table or view t"]),
    ],
)
def test_the_last_word_counts(sql, there):
    assert titles(promised_by([sql]).there) == there


def test_a_constraint_that_is_validated_later_has_to_be_valid_in_the_end():
    added = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID"
    assert titles(promised_by([added]).unchecked) == ["the constraint t.c"]
    assert promised_by([added, "ALTER TABLE t VALIDATE CONSTRAINT c"]).unchecked == frozenset()


def test_what_takes_rows_away_is_known_at_any_depth():
    promise = promised_by(
        ["WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone; TRUNCATE c"]
    )
    assert (promise.loses, promise.touched) == ({"a", "c"}, {"a", "b", "c"})


def thing(title: str) -> SchemaObject:
    kind, _, rest = title.partition(" ")
    of, _, name = rest.rpartition(".")
    return SchemaObject.model_validate({"kind": kind, "of": of, "name": name})


def test_each_thing_that_is_not_as_promised_is_named():
    promise = Promise(
        there=frozenset(
            {thing("column t.a"), thing("index i"), thing("constraint t.c"), thing("constraint t.d")}
        ),
        gone=frozenset({thing("column t.old")}),
        not_null=frozenset({thing("column t.b")}),
        unchecked=frozenset({thing("constraint t.d")}),
        touched=frozenset({"t"}),
    )
    found = CatalogueState(
        things=promise.there - {thing("column t.a")} | promise.gone,
        not_null=frozenset(),
        unchecked=frozenset({thing("constraint t.c"), thing("constraint t.d")}),
        invalid={thing("index i"): "t", thing("index other"): "u", thing("index left"): "t"},
    )
    assert shortfalls(promise, found) == (
        "the column t.a is missing",
        "the column t.old is still there",
        "the column t.b still allows NULL",
        "the constraint t.c is not validated",
        "the index i is not valid",
        "the index left is not valid",
    )


def test_missing_rows_are_told_where_they_were_counted_and_not_taken_on_purpose():
    before = {
        "kept": TableFacts(rows=100, exact=True, bytes=1),
        "less": TableFacts(rows=100, exact=True, bytes=1),
        "taken": TableFacts(rows=100, exact=True, bytes=1),
        "guessed": TableFacts(rows=100, exact=False, bytes=1),
    }
    promise = Promise(touched=frozenset(before), loses=frozenset({"taken"}))
    assert to_count(promise, before) == ("kept", "less")
    now = {"kept": 100, "less": 98, "taken": 0, "guessed": 1, "new": 5}
    assert losses(promise, before=before, now=now, may_lose_percent=0) == (
        "less has 98 rows; it had 100 before",
    )
    assert losses(promise, before=before, now=now, may_lose_percent=5) == ()
