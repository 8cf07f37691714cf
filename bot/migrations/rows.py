"""Statements that write rows, or only seem to read."""

from __future__ import annotations

from pglast import ast, enums

from bot.migrations.expressions import function_of, harm_in, nodes
from bot.migrations.rulings import Lock, MigrationRuling, MigrationStage, impossible, safe, until
from bot.migrations.surroundings import MigrationContext, name_of

_LOCK = Lock.ROW_EXCLUSIVE
_STAGE = MigrationStage.MIGRATE
_NEW = "it writes only rows of a table that this migration created"


def insert(ground: MigrationContext, statement: ast.InsertStmt) -> MigrationRuling:
    """Rule on INSERT, its ON CONFLICT and all it reads from."""
    if harm := harm_in(statement):
        return impossible(_STAGE, harm, lock=_LOCK)
    if ground.is_new(statement.relation):
        return safe(_STAGE, _NEW)
    clause = statement.onConflictClause
    if clause and clause.action == enums.OnConflictAction.ONCONFLICT_UPDATE:
        return impossible(_STAGE, "existing values are overwritten", lock=_LOCK)
    return until(_STAGE, "the old version reads rows that it did not write", lock=_LOCK)


def update(ground: MigrationContext, statement: ast.UpdateStmt) -> MigrationRuling:
    """Rule on UPDATE: new columns may be filled where no trigger joins in."""
    if harm := harm_in(statement):
        return impossible(_STAGE, harm, lock=_LOCK)
    if ground.is_new(statement.relation):
        return safe(_STAGE, _NEW)
    table = name_of(statement.relation)
    if not all((table, target.name) in ground.columns for target in statement.targetList):
        return impossible(_STAGE, f"existing values of {table} are overwritten", lock=_LOCK)
    if table in ground.schema.triggers:
        return impossible(_STAGE, f"a trigger of {table} fires and may write more", lock=_LOCK)
    if table not in ground.schema.columns:
        return until(_STAGE, f"{table} may have a trigger that writes more", lock=_LOCK)
    return safe(_STAGE, "it writes only a new column", lock=_LOCK)


def remove(ground: MigrationContext, statement: ast.DeleteStmt | ast.MergeStmt) -> MigrationRuling:
    """Rule on DELETE and MERGE."""
    if not ground.is_new(statement.relation):
        return impossible(_STAGE, f"rows of {name_of(statement.relation)} are lost", lock=_LOCK)
    if harm := harm_in(statement):
        return impossible(_STAGE, harm)
    return safe(_STAGE, _NEW)


def truncate(ground: MigrationContext, statement: ast.TruncateStmt) -> MigrationRuling:
    """Rule on TRUNCATE."""
    cascades = statement.behavior == enums.DropBehavior.DROP_CASCADE
    if not cascades and all(ground.is_new(relation) for relation in statement.relations):
        return safe(_STAGE, _NEW)
    return impossible(_STAGE, "all rows are lost", lock=Lock.ACCESS_EXCLUSIVE)


def select(statement: ast.SelectStmt) -> MigrationRuling:
    """Rule on SELECT, which may call what writes."""
    if statement.intoClause is not None:
        return until(_STAGE, "SELECT INTO creates a table; write CREATE TABLE AS instead")
    calls = {function_of(node) for node in nodes(statement) if isinstance(node, ast.FuncCall)}
    if calls == {"setval"}:
        return until(_STAGE, "numbers may be handed out twice or skipped")
    if harm := harm_in(statement):
        return impossible(_STAGE, harm)
    return safe(_STAGE, "it only reads")
