"""Judges, with PostgreSQL's own parser, whether the old version can come back after a migration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from pglast import ast, parse_sql
from pglast.parser import ParseError

from bot.migrations import objects, rows, settings
from bot.migrations.rulings import (
    Assessment,
    Lock,
    MigrationRuling,
    MigrationStage,
    Rollback,
    Statement,
    safe,
    unknown,
    until,
)
from bot.migrations.surroundings import MigrationContext, Schema
from bot.migrations.tables import alter_table

_SAFE_ANYWAY = {
    ast.CommentStmt: "it only describes the schema",
    ast.CreateSeqStmt: "the old version does not know it",
    ast.CreateStatsStmt: "statistics do not change results",
    ast.LockStmt: "a lock ends with the transaction",
    ast.ReindexStmt: "an index does not change results",
    ast.RefreshMatViewStmt: "it is computed from existing data",
    ast.ClusterStmt: "the order on disk does not change results",
    ast.VariableShowStmt: "it only reads",
}
_NEVER_QUITE = {
    ast.AlterDefaultPrivilegesStmt: "privileges change",
    ast.AlterDomainStmt: "what the old version writes may be refused",
    ast.AlterFunctionStmt: "the old version gets different results",
    ast.AlterObjectSchemaStmt: "the old version looks for it in its old place",
    ast.AlterOwnerStmt: "the role of the old version may no longer be allowed to",
    ast.AlterPolicyStmt: "the old version may see other rows",
    ast.AlterSeqStmt: "numbers may be handed out twice or skipped",
    ast.CreateDomainStmt: "its rules are not analysed",
    ast.CreateExtensionStmt: "the old version's calls may resolve to what it adds",
    ast.CreatePolicyStmt: "the old version may see other rows",
    ast.CreatePublicationStmt: "a published table without a replica identity rejects updates and deletes",
    ast.CreateTrigStmt: "it runs on what the old version writes",
    ast.RuleStmt: "it rewrites the old version's queries",
}
_OBJECTS: dict[type, Callable[[MigrationContext, ast.Node], MigrationRuling]] = {
    ast.AlterTableStmt: alter_table,
    ast.CreateStmt: objects.create_table,
    ast.CreateTableAsStmt: objects.create_table_as,
    ast.IndexStmt: objects.create_index,
    ast.CreateFunctionStmt: objects.create_function,
    ast.ViewStmt: objects.create_view,
    ast.CreateEnumStmt: objects.create_enum,
    ast.AlterEnumStmt: objects.alter_enum,
    ast.CreateSchemaStmt: objects.create_schema,
    ast.RenameStmt: objects.rename,
    ast.DropStmt: objects.drop,
}


def assess(sql: str, *, schema: Schema | None = None) -> Assessment:
    """Judge a migration; ``schema`` is what was there before it: without it, less can be called safe.

    SQL that PostgreSQL cannot parse is ``impossible``: what it does is not known.
    """
    return assess_all([sql], schema=schema)[0]


def assess_all(files: Sequence[str], *, schema: Schema | None = None) -> list[Assessment]:
    """Judge files that are applied in this order: what one makes is new to those after it."""
    ground = MigrationContext(schema=schema or Schema())
    return [_assess(ground, sql) for sql in files]


def _assess(ground: MigrationContext, sql: str) -> Assessment:
    try:
        parsed = parse_sql(sql)
    except ParseError as error:
        ground.forget()
        return summary([_statement(sql.strip(), unknown(f"PostgreSQL cannot parse it ({error.args[0]})"))])
    told = []
    for raw in parsed:
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(sql)
        text = sql[raw.stmt_location : end].strip()
        told.append(_statement(text, _rule(ground, raw.stmt)))
    return summary(told)


def summary(statements: Sequence[Statement]) -> Assessment:
    """Reduce statements to the worst of them; an empty list is safe."""
    lead = max(statements, key=lambda one: one.rollback.badness, default=None)
    bad = lead is not None and lead.rollback is not Rollback.SAFE
    return Assessment(
        statements=tuple(statements),
        rollback=lead.rollback if lead else Rollback.SAFE,
        step=lead.sql if lead and bad else "",
        because=lead.because if lead and bad else "the old version keeps working and loses nothing",
        transactional=not any(statement.alone for statement in statements),
    )


def _statement(sql: str, ruling: MigrationRuling) -> Statement:
    return Statement(sql=sql, **asdict(ruling))


def _rule(ground: MigrationContext, node: ast.Node) -> MigrationRuling:
    ruling = _rows(ground, node) or _objects(ground, node) or _session(ground, node) or _listed(node)
    return replace(ruling, alone=_alone(node))


def _rows(ground: MigrationContext, node: ast.Node) -> MigrationRuling | None:
    match node:
        case ast.InsertStmt():
            return rows.insert(ground, node)
        case ast.UpdateStmt():
            return rows.update(ground, node)
        case ast.DeleteStmt() | ast.MergeStmt():
            return rows.remove(ground, node)
        case ast.TruncateStmt():
            return rows.truncate(ground, node)
        case ast.SelectStmt():
            return rows.select(node)
        case _:
            return None


def _objects(ground: MigrationContext, node: ast.Node) -> MigrationRuling | None:
    rule = _OBJECTS.get(type(node))
    return rule(ground, node) if rule else None


def _session(ground: MigrationContext, node: ast.Node) -> MigrationRuling | None:
    match node:
        case ast.VariableSetStmt():
            return settings.setting(ground, node)
        case ast.TransactionStmt():
            return settings.transaction(ground, node)
        case ast.VacuumStmt():
            return settings.vacuum(node)
        case ast.GrantStmt():
            return settings.grant(node)
        case _:
            return None


def _listed(node: ast.Node) -> MigrationRuling:
    kind = type(node)
    if kind in _SAFE_ANYWAY:
        rewrites = kind is ast.ClusterStmt
        return safe(MigrationStage.EXPAND, _SAFE_ANYWAY[kind], lock=_lock_of(node), rewrites=rewrites)
    if kind in _NEVER_QUITE:
        return until(MigrationStage.CONTRACT, _NEVER_QUITE[kind], lock=Lock.SHARE_ROW_EXCLUSIVE)
    return unknown(kind.__name__.removesuffix("Stmt"))


_MODES = {
    4: Lock.SHARE_UPDATE_EXCLUSIVE,
    5: Lock.SHARE,
    6: Lock.SHARE_ROW_EXCLUSIVE,
    7: Lock.SHARE_ROW_EXCLUSIVE,  # EXCLUSIVE, which blocks no more of what a service does
    8: Lock.ACCESS_EXCLUSIVE,
}
"""The modes of LOCK TABLE, by PostgreSQL's numbers."""


def _lock_of(node: ast.Node) -> Lock:
    """Return the lock of a statement that changes no results."""
    match node:
        case ast.LockStmt():
            return _MODES.get(node.mode, Lock.NONE)
        case ast.ReindexStmt():
            concurrent = any(option.defname == "concurrently" for option in node.params or ())
            return Lock.SHARE_UPDATE_EXCLUSIVE if concurrent else Lock.ACCESS_EXCLUSIVE
        case ast.ClusterStmt():
            return Lock.ACCESS_EXCLUSIVE
        case ast.RefreshMatViewStmt():
            return Lock.SHARE_ROW_EXCLUSIVE if node.concurrent else Lock.ACCESS_EXCLUSIVE
        case _:
            return Lock.NONE


def _alone(node: ast.Node) -> bool:
    """Return whether PostgreSQL refuses the statement in a transaction, or it is of no use there."""
    match node:
        case ast.IndexStmt():
            return bool(node.concurrent)
        case ast.DropStmt():
            return bool(node.concurrent)
        case ast.VacuumStmt():
            return bool(node.is_vacuumcmd)
        case ast.AlterEnumStmt():
            return not node.oldVal  # a new value cannot be used in the transaction that adds it
        case ast.ReindexStmt():
            return any(option.defname == "concurrently" for option in node.params or ())
        case ast.AlterTableStmt():
            return any(isinstance(c.def_, ast.PartitionCmd) and c.def_.concurrent for c in node.cmds)
        case ast.CreatedbStmt() | ast.DropdbStmt() | ast.AlterSystemStmt():
            return True
        case _:
            return False
