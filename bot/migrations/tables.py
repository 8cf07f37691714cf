"""ALTER TABLE, command by command."""

from __future__ import annotations

from pglast import ast, enums

from bot.migrations.columns import add_column
from bot.migrations.expressions import fills, harm_in, nodes
from bot.migrations.rulings import (
    Lock,
    MigrationRuling,
    MigrationStage,
    impossible,
    safe,
    unknown,
    until,
    worst,
)
from bot.migrations.surroundings import MigrationContext, name_of
from bot.migrations.types import canonical, change, written

_T = enums.AlterTableType
_LOCK = Lock.ACCESS_EXCLUSIVE

_QUIET = {
    _T.AT_SetStatistics: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_SetRelOptions: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_ResetRelOptions: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_SetOptions: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_ResetOptions: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_ClusterOn: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_DropCluster: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_ValidateConstraint: Lock.SHARE_UPDATE_EXCLUSIVE,
    _T.AT_SetStorage: _LOCK,
    _T.AT_SetCompression: _LOCK,
    _T.AT_SetLogged: _LOCK,
    _T.AT_SetTableSpace: _LOCK,
}
"""Commands that change how a table is kept and not what it accepts or returns."""

_REWRITING = frozenset({_T.AT_SetLogged, _T.AT_SetTableSpace})

_LIMITS = {
    _T.AT_SetNotNull: "the old version may still write NULL",
    _T.AT_DropNotNull: "the old version never saw NULL there and may read one now",
    _T.AT_DropConstraint: "rows may be written that the old version never saw",
    _T.AT_AddConstraint: "what the old version writes may be rejected",
    _T.AT_AddIndexConstraint: "what the old version writes may be rejected",
    _T.AT_ChangeOwner: "the role of the old version may no longer be allowed to",
    _T.AT_SetUnLogged: "data written after it does not survive a crash",
    _T.AT_EnableRowSecurity: "the role of the old version may no longer see its rows",
    _T.AT_ForceRowSecurity: "the role of the old version may no longer see its rows",
    _T.AT_AttachPartition: "the old version reads rows that were not there before",
    _T.AT_DetachPartition: "the old version no longer finds its rows, and its writes there are rejected",
}

_TIES = frozenset(
    {_T.AT_AddInherit, _T.AT_DropInherit, _T.AT_AttachPartition, _T.AT_DetachPartition, _T.AT_AddOf}
)


def alter_table(ground: MigrationContext, statement: ast.AlterTableStmt) -> MigrationRuling:
    """Rule on all commands of one ALTER TABLE, also of an index, a view or a type."""
    table = name_of(statement.relation)
    if statement.objtype != enums.ObjectType.OBJECT_TABLE:
        if any(command.subtype == _T.AT_DropColumn for command in statement.cmds):
            return impossible(MigrationStage.CONTRACT, "its contents are lost", lock=_LOCK)
        return until(MigrationStage.CONTRACT, "the old version uses it as before", lock=_LOCK)
    return worst([_command(ground, table, command) for command in statement.cmds])


def _command(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    if table in ground.tables:
        return _of_new_table(ground, table, command)
    kind = command.subtype
    if kind in _QUIET:
        rewrites = kind in _REWRITING
        return safe(
            MigrationStage.EXPAND, "the old version does not notice", lock=_QUIET[kind], rewrites=rewrites
        )
    match kind:
        case _T.AT_AddColumn:
            return add_column(ground, table, command)
        case _T.AT_DropColumn:
            return _drop_column(ground, table, command)
        case _T.AT_AlterColumnType:
            return _change_type(ground, table, command)
        case _T.AT_ColumnDefault:
            return _set_default(ground, table, command)
        case _T.AT_SetNotNull if ground.columns.get((table, command.name)):
            return safe(MigrationStage.EXPAND, "the column is new and its default satisfies it", lock=_LOCK)
    return _limit(ground, table, command)


def _of_new_table(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    if command.subtype in _TIES:
        ground.forget_table(table)
        return until(MigrationStage.CONTRACT, "it links a new table to an old one", lock=_LOCK)
    if holds_old_rows(ground, command):
        return until(MigrationStage.CONTRACT, HOLDS, lock=Lock.SHARE_ROW_EXCLUSIVE)
    if harm := harm_in(command):
        return impossible(MigrationStage.MIGRATE, harm)
    return safe(MigrationStage.EXPAND, "this migration created the table")


HOLDS = "its foreign key blocks deletes by the old version"


def holds_old_rows(ground: MigrationContext, root: ast.Node) -> bool:
    """Return whether a foreign key in the tree points at a table that was there before."""
    return any(
        isinstance(node, ast.Constraint)
        and node.contype == enums.ConstrType.CONSTR_FOREIGN
        and not ground.is_new(node.pktable)
        for node in nodes(root)
    )


def _drop_column(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    cascades = command.behavior == enums.DropBehavior.DROP_CASCADE
    if ground.columns.pop((table, command.name), None) is not None and not cascades:
        return safe(MigrationStage.CONTRACT, "this migration created the column", lock=_LOCK)
    return impossible(MigrationStage.CONTRACT, f"the contents of {table}.{command.name} are lost", lock=_LOCK)


def _change_type(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    ground.columns.pop((table, command.name), None)
    before = ground.schema.columns.get(table, {}).get(command.name)
    definition: ast.ColumnDef = command.def_
    if before is None or definition.raw_default is not None or definition.collClause is not None:
        why = "what happens to its values is unknown" if before else "its previous type is unknown"
        return impossible(MigrationStage.CONTRACT, why, lock=_LOCK, rewrites=True)
    return change(canonical(before), written(definition.typeName))


def _set_default(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    key = (table, command.name)
    if key not in ground.columns:
        return until(MigrationStage.CONTRACT, "old inserts rely on the previous default", lock=_LOCK)
    ground.columns[key] = fills(command.def_)
    if not fills(command.def_):
        return until(MigrationStage.CONTRACT, "old inserts do not fill the new column", lock=_LOCK)
    return safe(MigrationStage.EXPAND, "only the new column's default changes", lock=_LOCK)


def _limit(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    ground.columns.pop((table, command.name or ""), None)
    why = _LIMITS.get(command.subtype)
    if why is None:
        return unknown(command.subtype.name.removeprefix("AT_"))
    if command.subtype == _T.AT_AddConstraint and command.def_.contype == enums.ConstrType.CONSTR_FOREIGN:
        return until(MigrationStage.CONTRACT, why, lock=Lock.SHARE_ROW_EXCLUSIVE)
    return until(MigrationStage.CONTRACT, why, lock=_LOCK)
