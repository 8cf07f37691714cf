"""What is known of the database while a migration is read from its first statement to its last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pglast import ast


@dataclass(frozen=True, kw_only=True)
class Schema:
    """The tables of before; a name is ``table`` in ``public``, otherwise ``schema.table``.

    Nothing is known of a table that is not listed.
    """

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Type by column, as ``format_type`` writes it."""
    triggers: frozenset[str] = frozenset()
    """Tables with user-defined triggers or rules."""


@dataclass(kw_only=True)
class MigrationContext:
    """What this migration made itself, so that the old version cannot know it."""

    schema: Schema
    tables: set[str] = field(default_factory=set)
    columns: dict[tuple[str, str], bool] = field(default_factory=dict)
    """New columns of old tables; whether inserts that do not name them get a value that is not NULL."""
    types: set[str] = field(default_factory=set)

    def is_new(self, relation: ast.RangeVar | None) -> bool:
        """Return whether the table was made by this migration."""
        return relation is not None and name_of(relation) in self.tables

    def forget(self) -> None:
        """Treat nothing as new from here on: names may mean something else."""
        self.tables.clear()
        self.columns.clear()
        self.types.clear()

    def forget_table(self, name: str) -> None:
        """Stop treating this table and its columns as new."""
        self.tables.discard(name)
        for key in [key for key in self.columns if key[0] == name]:
            del self.columns[key]


def name_of(relation: ast.RangeVar) -> str:
    """Name a table as ``Schema`` does."""
    if relation.schemaname and relation.schemaname != "public":
        return f"{relation.schemaname}.{relation.relname}"
    return str(relation.relname)
