"""Statements that control the session: transactions, settings, locks, maintenance, privileges."""

from __future__ import annotations

from pglast import ast, enums

from bot.migrations.rulings import Lock, MigrationRuling, MigrationStage, safe, until
from bot.migrations.surroundings import MigrationContext

_HARMLESS = frozenset(
    {
        "application_name",
        "client_min_messages",
        "idle_in_transaction_session_timeout",
        "maintenance_work_mem",
        "statement_timeout",
        "transaction_timeout",
        "work_mem",
    }
)
_K = enums.TransactionStmtKind
_FORWARD = frozenset({_K.TRANS_STMT_BEGIN, _K.TRANS_STMT_START, _K.TRANS_STMT_COMMIT})


def setting(ground: MigrationContext, statement: ast.VariableSetStmt) -> MigrationRuling:
    """Rule on SET: after another search path or role, a name may mean something else."""
    if statement.name == "lock_timeout":
        return safe(MigrationStage.EXPAND, "the bot's own limit holds instead")
    if statement.name in _HARMLESS:
        return safe(MigrationStage.EXPAND, "it affects only this session")
    ground.forget()
    return until(
        MigrationStage.MIGRATE,
        f"after SET {statement.name or ''} names may mean something else".replace("  ", " "),
    )


def transaction(ground: MigrationContext, statement: ast.TransactionStmt) -> MigrationRuling:
    """Rule on BEGIN, COMMIT and those that take something back."""
    if statement.kind in _FORWARD:
        return safe(MigrationStage.EXPAND, "it only begins or ends a transaction")
    ground.forget()
    return until(MigrationStage.MIGRATE, "what it rolls back is not analysed")


def vacuum(statement: ast.VacuumStmt) -> MigrationRuling:
    """Rule on VACUUM and ANALYZE."""
    full = any(option.defname == "full" for option in statement.options or ())
    lock = Lock.ACCESS_EXCLUSIVE if full else Lock.SHARE_UPDATE_EXCLUSIVE
    return safe(MigrationStage.EXPAND, "it does not change results", lock=lock, rewrites=full)


def grant(statement: ast.GrantStmt) -> MigrationRuling:
    """Rule on GRANT and REVOKE."""
    if statement.is_grant:
        return safe(MigrationStage.EXPAND, "more is allowed than before")
    return until(MigrationStage.CONTRACT, "the role of the old version may no longer be allowed to")
