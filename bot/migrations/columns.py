"""New columns of old tables: whether inserts that do not know them still work."""

from __future__ import annotations

from pglast import ast, enums

from bot.migrations.expressions import fills, harm_in, varies
from bot.migrations.rulings import Lock, MigrationRuling, MigrationStage, safe, until, worst
from bot.migrations.surroundings import MigrationContext
from bot.migrations.types import SERIALS, is_own

_C = enums.ConstrType
_LOCK = Lock.ACCESS_EXCLUSIVE


def add_column(ground: MigrationContext, table: str, command: ast.AlterTableCmd) -> MigrationRuling:
    """Rule on ADD COLUMN; what is new is noted unless IF NOT EXISTS leaves that open."""
    column: ast.ColumnDef = command.def_
    constraints = list(column.constraints or ())
    kinds = {constraint.contype for constraint in constraints}
    default = next((c.raw_expr for c in constraints if c.contype == _C.CONSTR_DEFAULT), None)
    filled = fills(default) or _C.CONSTR_IDENTITY in kinds
    if not command.missing_ok:
        ground.columns[table, column.colname] = filled
    rewrites = varies(default) or bool(kinds & {_C.CONSTR_IDENTITY, _C.CONSTR_GENERATED})
    rulings = [safe(MigrationStage.EXPAND, "the old version does not use it", lock=_LOCK, rewrites=rewrites)]
    rulings += [_limit(why) for why in _kind_limits(ground, column, filled=filled, kinds=kinds)]
    if default is not None and (harm := harm_in((default,))):
        rulings.append(_limit(f"old inserts compute its default, and {harm}"))
    rulings += [ruling for c in constraints if (ruling := _constraint(c, alone=default is None))]
    return worst(rulings)


def _kind_limits(
    ground: MigrationContext, column: ast.ColumnDef, *, filled: bool, kinds: set[enums.ConstrType]
) -> list[str]:
    reasons = []
    if _C.CONSTR_NOTNULL in kinds and not filled:
        reasons.append("old inserts leave it out, and NULL is rejected")
    if column.typeName.names[-1].sval in SERIALS:
        reasons.append("old inserts need a sequence that their role may not be allowed to use")
    elif not is_own(column.typeName, new_types=ground.types):
        reasons.append("its type may reject the NULL or the default of old inserts")
    return reasons


def _constraint(constraint: ast.Constraint, *, alone: bool) -> MigrationRuling | None:
    match constraint.contype:
        case _C.CONSTR_CHECK:
            return _limit("the check applies to old inserts too")
        case _C.CONSTR_GENERATED:
            return _limit("the expression is also computed for old writes and may fail")
        case _C.CONSTR_UNIQUE if alone and not constraint.nulls_not_distinct:
            return None
        case _C.CONSTR_UNIQUE | _C.CONSTR_PRIMARY | _C.CONSTR_EXCLUSION:
            return _limit("old inserts all write the same value, which is rejected the second time")
        case _C.CONSTR_FOREIGN:
            return _limit("it may block deletes by the old version")
        case _:
            return None


def _limit(why: str) -> MigrationRuling:
    return until(MigrationStage.CONTRACT, why, lock=_LOCK)
