"""Compares what a migration promised with what the database has after it."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.model import Model
from bot.migrations.database import TableFacts
from bot.migrations.postconditions import Promise, SchemaObject


class CatalogueState(Model):
    """What the database has; names as ``SchemaObject`` writes them."""

    things: frozenset[SchemaObject]
    not_null: frozenset[SchemaObject]
    unchecked: frozenset[SchemaObject]
    """Constraints that are not validated."""
    invalid: Mapping[SchemaObject, str]
    """Indexes that are not valid, and the table of each."""


def shortfalls(promise: Promise, found: CatalogueState) -> tuple[str, ...]:
    """List what is not as it was promised; empty if all of it is."""
    problems = [f"{thing.title} is missing" for thing in _sorted(promise.there - found.things)]
    problems += [f"{thing.title} is still there" for thing in _sorted(promise.gone & found.things)]
    problems += [f"{thing.title} still allows NULL" for thing in _sorted(promise.not_null - found.not_null)]
    loose = promise.there & found.unchecked - promise.unchecked
    problems += [f"{thing.title} is not validated" for thing in _sorted(loose)]
    invalid = {thing for thing, table in found.invalid.items() if table in promise.touched}
    problems += [
        f"{thing.title} is not valid" for thing in _sorted(invalid | (promise.there & set(found.invalid)))
    ]
    return tuple(problems)


def losses(
    promise: Promise, *, before: Mapping[str, TableFacts], now: Mapping[str, int], may_lose_percent: float
) -> tuple[str, ...]:
    """List tables with missing rows; tables that the migration itself deletes rows from are left out."""
    problems = []
    for name in sorted(now):
        was = before.get(name)
        if was is None or not was.exact or was.rows is None or name in promise.loses:
            continue
        least = was.rows * (1 - may_lose_percent / 100)
        if now[name] < least:
            problems.append(f"{name} has {now[name]} rows; it had {was.rows} before")
    return tuple(problems)


def to_count(promise: Promise, before: Mapping[str, TableFacts]) -> tuple[str, ...]:
    """Name the tables whose rows can be compared."""
    known = {name for name, table in before.items() if table.exact}
    return tuple(sorted((promise.touched & known) - promise.loses))


def _sorted(things: frozenset[SchemaObject] | set[SchemaObject]) -> list[SchemaObject]:
    return sorted(things, key=lambda thing: thing.title)
