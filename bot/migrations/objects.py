"""Statements that make, rename or drop what a database consists of."""

from __future__ import annotations

from pglast import ast, enums

from bot.migrations.expressions import harm_in, never_fails
from bot.migrations.rulings import Lock, MigrationRuling, MigrationStage, impossible, safe, until
from bot.migrations.surroundings import MigrationContext, name_of
from bot.migrations.tables import HOLDS, holds_old_rows

_O = enums.ObjectType
_LOCK = Lock.ACCESS_EXCLUSIVE
_GONE_FOR_GOOD = frozenset(
    {_O.OBJECT_TABLE, _O.OBJECT_SEQUENCE, _O.OBJECT_EXTENSION, _O.OBJECT_FOREIGN_TABLE}
)
_UNKNOWN_NAME = "the old version does not know it"


def create_table(ground: MigrationContext, statement: ast.CreateStmt) -> MigrationRuling:
    """Rule on CREATE TABLE; only a table that is certainly made here counts as new."""
    if harm := harm_in(statement):
        return until(MigrationStage.EXPAND, harm)
    if statement.partbound is not None:
        if statement.tableElts:
            return until(
                MigrationStage.CONTRACT, "what the old version writes into this range may be rejected"
            )
        return safe(
            MigrationStage.EXPAND, "the old version writes as before", lock=Lock.SHARE_UPDATE_EXCLUSIVE
        )
    if statement.inhRelations:
        return until(MigrationStage.CONTRACT, "the old version reads its rows as those of the parent")
    holds = holds_old_rows(ground, statement)
    if _stays(statement):
        ground.tables.add(name_of(statement.relation))
    if holds:
        return until(MigrationStage.CONTRACT, HOLDS, lock=Lock.SHARE_ROW_EXCLUSIVE)
    return safe(MigrationStage.EXPAND, _UNKNOWN_NAME)


def _stays(statement: ast.CreateStmt) -> bool:
    return not statement.if_not_exists and statement.oncommit == enums.OnCommitAction.ONCOMMIT_NOOP


def create_table_as(ground: MigrationContext, statement: ast.CreateTableAsStmt) -> MigrationRuling:
    """Rule on CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    if harm := harm_in(statement):
        return impossible(MigrationStage.MIGRATE, harm)
    if not statement.if_not_exists and statement.into.onCommit == enums.OnCommitAction.ONCOMMIT_NOOP:
        ground.tables.add(name_of(statement.into.rel))
    return safe(MigrationStage.EXPAND, _UNKNOWN_NAME)


def create_index(ground: MigrationContext, statement: ast.IndexStmt) -> MigrationRuling:
    """Rule on CREATE INDEX: it may refuse writes, by being unique or by an expression that fails."""
    if ground.is_new(statement.relation):
        harm = harm_in(statement)
        return (
            impossible(MigrationStage.EXPAND, harm)
            if harm
            else safe(MigrationStage.EXPAND, "this migration created the table")
        )
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if statement.concurrent else Lock.SHARE
    computed = [element.expr for element in statement.indexParams] + [statement.whereClause]
    if statement.unique:
        ruling = until(
            MigrationStage.CONTRACT, "duplicates that the old version writes are rejected", lock=lock
        )
    elif not all(never_fails(expression) for expression in computed):
        ruling = until(
            MigrationStage.CONTRACT, "its expression is also computed for old writes and may fail", lock=lock
        )
    else:
        ruling = safe(MigrationStage.EXPAND, "an index does not change results", lock=lock)
    return ruling


def create_function(_ground: MigrationContext, statement: ast.CreateFunctionStmt) -> MigrationRuling:
    """Rule on CREATE FUNCTION: only one that no query can call is certainly not called by the old version."""
    if statement.replace:
        return until(MigrationStage.CONTRACT, "the old version gets different results", lock=Lock.NONE)
    kind = statement.returnType
    if kind is not None and kind.names[-1].sval == "trigger":
        return safe(MigrationStage.EXPAND, "nothing calls it yet")
    return until(MigrationStage.EXPAND, "the old version's calls may resolve to it or become ambiguous")


def create_view(_ground: MigrationContext, statement: ast.ViewStmt) -> MigrationRuling:
    """Rule on CREATE VIEW."""
    if statement.replace:
        return until(MigrationStage.CONTRACT, "the old version reads different data through it", lock=_LOCK)
    return safe(MigrationStage.EXPAND, _UNKNOWN_NAME)


def create_enum(ground: MigrationContext, statement: ast.CreateEnumStmt) -> MigrationRuling:
    """Rule on CREATE TYPE … AS ENUM."""
    ground.types.add(".".join(part.sval for part in statement.typeName))
    return safe(MigrationStage.EXPAND, _UNKNOWN_NAME)


def alter_enum(_ground: MigrationContext, statement: ast.AlterEnumStmt) -> MigrationRuling:
    """Rule on ALTER TYPE … ADD VALUE and RENAME VALUE."""
    if statement.oldVal:
        return until(MigrationStage.CONTRACT, "the old version writes the old name")
    return until(
        MigrationStage.EXPAND,
        "the old version does not know the value once it is written; it cannot be removed",
    )


def create_schema(_ground: MigrationContext, statement: ast.CreateSchemaStmt) -> MigrationRuling:
    """Rule on CREATE SCHEMA."""
    if statement.schemaElts:
        return until(MigrationStage.EXPAND, "what is created inside a CREATE SCHEMA is not analysed")
    return safe(MigrationStage.EXPAND, _UNKNOWN_NAME)


def rename(ground: MigrationContext, statement: ast.RenameStmt) -> MigrationRuling:
    """Rule on RENAME of anything."""
    new = statement.relation is not None and ground.is_new(statement.relation)
    if statement.relation is not None:
        ground.forget_table(name_of(statement.relation))
    if new:
        return safe(MigrationStage.EXPAND, "this migration created the table")
    return until(MigrationStage.CONTRACT, "the old version uses it under the same name", lock=_LOCK)


def drop(ground: MigrationContext, statement: ast.DropStmt) -> MigrationRuling:
    """Rule on DROP of anything."""
    if statement.behavior == enums.DropBehavior.DROP_CASCADE:
        return impossible(MigrationStage.CONTRACT, "CASCADE also drops whatever depends on it", lock=_LOCK)
    if statement.removeType == _O.OBJECT_TABLE:
        names = [_dotted(item) for item in statement.objects]
        new = all(name in ground.tables for name in names)
        for name in names:
            ground.forget_table(name)
        if new:
            return safe(MigrationStage.CONTRACT, "this migration created the table")
    if statement.removeType in _GONE_FOR_GOOD:
        return impossible(MigrationStage.CONTRACT, "its contents are lost", lock=_LOCK)
    return until(MigrationStage.CONTRACT, "the old version may still use it", lock=_LOCK)


def _dotted(parts: tuple[ast.String, ...]) -> str:
    names = [part.sval for part in parts]
    return ".".join(names[1:] if names[0] == "public" else names)
