"""Statements that steer the session: transactions, settings, locks, upkeep, rights."""

from __future__ import annotations

from pglast import ast, enums

from bot.migrations.rulings import Lock, Ruling, Stage, safe, until
from bot.migrations.surroundings import Ground

_HARMLESS = frozenset(
    {
        "application_name",
        "client_min_messages",
        "idle_in_transaction_session_timeout",
        "lock_timeout",
        "maintenance_work_mem",
        "statement_timeout",
        "work_mem",
    }
)
_K = enums.TransactionStmtKind
_FORWARD = frozenset({_K.TRANS_STMT_BEGIN, _K.TRANS_STMT_START, _K.TRANS_STMT_COMMIT})


def setting(ground: Ground, statement: ast.VariableSetStmt) -> Ruling:
    """Rule on SET: after another search path or role, a name may mean something else."""
    if statement.name in _HARMLESS:
        return safe(Stage.EXPAND, "it only steers this session")
    ground.forget()
    return until(
        Stage.MIGRATE, f"after SET {statement.name or ''} names may mean something else".replace("  ", " ")
    )


def transaction(ground: Ground, statement: ast.TransactionStmt) -> Ruling:
    """Rule on BEGIN, COMMIT and those that take something back."""
    if statement.kind in _FORWARD:
        return safe(Stage.EXPAND, "it only bounds a transaction")
    ground.forget()
    return until(Stage.MIGRATE, "what it takes back is not followed")


def vacuum(statement: ast.VacuumStmt) -> Ruling:
    """Rule on VACUUM and ANALYZE."""
    full = any(option.defname == "full" for option in statement.options or ())
    lock = Lock.ACCESS_EXCLUSIVE if full else Lock.SHARE_UPDATE_EXCLUSIVE
    return safe(Stage.EXPAND, "it changes no answer", lock=lock, rewrites=full)


def grant(statement: ast.GrantStmt) -> Ruling:
    """Rule on GRANT and REVOKE."""
    if statement.is_grant:
        return safe(Stage.EXPAND, "more is allowed than before")
    return until(Stage.CONTRACT, "the role of the old version may no longer be allowed to")
