"""Whether an expression can do harm: by what it calls, or by failing on what the old version writes."""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

_QUIET = frozenset(
    [
        "abs",
        "array_agg",
        "avg",
        "bool_and",
        "bool_or",
        "btrim",
        "ceil",
        "ceiling",
        "char_length",
        "clock_timestamp",
        "concat",
        "concat_ws",
        "count",
        "date_part",
        "date_trunc",
        "encode",
        "extract",
        "floor",
        "gen_random_uuid",
        "jsonb_agg",
        "jsonb_build_object",
        "json_build_object",
        "left",
        "length",
        "lower",
        "lpad",
        "ltrim",
        "make_date",
        "max",
        "md5",
        "min",
        "now",
        "position",
        "random",
        "regexp_replace",
        "replace",
        "right",
        "round",
        "row_number",
        "rpad",
        "rtrim",
        "sha256",
        "split_part",
        "statement_timestamp",
        "string_agg",
        "strpos",
        "substr",
        "substring",
        "sum",
        "to_char",
        "to_jsonb",
        "to_timestamp",
        "transaction_timestamp",
        "trim",
        "trunc",
        "upper",
        "uuidv7",
    ]
)
"""Functions of PostgreSQL that read their arguments and the clock, and change nothing."""

VOLATILE = frozenset({"clock_timestamp", "gen_random_uuid", "random", "uuidv7"})
"""Of those, the ones that give each row its own value, for which a table is rewritten."""

_NEVER_FAIL = frozenset({"lower", "upper", "btrim", "md5"})
_COMPARISONS = frozenset({"=", "<>", "<", ">", "<=", ">="})
_WRITES = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)


def nodes(root: object) -> Iterator[ast.Node]:
    """Walk a syntax tree, the root first."""
    if isinstance(root, tuple | list):
        for item in root:
            yield from nodes(item)
    elif isinstance(root, ast.Node):
        yield root
        for name in root:
            yield from nodes(getattr(root, name))


def function_of(call: ast.FuncCall) -> str:
    """Name the function; what is not in ``pg_catalog`` keeps its schema."""
    names = [part.sval for part in call.funcname]
    return ".".join(names[1:] if names[0] == "pg_catalog" else names)


def harm_in(root: object) -> str:
    """Return what in a tree may change something beside the root's own effect; empty if nothing does."""
    for node in nodes(root):
        if node is root:
            continue
        if isinstance(node, _WRITES):
            return "a part of it writes as well"
        if isinstance(node, ast.FuncCall) and function_of(node) not in _QUIET:
            return f"it calls {function_of(node)}(), which is not a function I know"
    return ""


def fills(default: ast.Node | None) -> bool:
    """Return whether a default certainly gives a value that is not NULL."""
    match default:
        case ast.A_Const():
            return not default.isnull
        case ast.TypeCast():
            return fills(default.arg)
        case ast.SQLValueFunction():
            return True
        case ast.FuncCall():
            return not default.args and function_of(default) in _QUIET
        case _:
            return False


def varies(default: object) -> bool:
    """Return whether a default gives each row its own value."""
    return any(isinstance(node, ast.FuncCall) and function_of(node) in VOLATILE for node in nodes(default))


def never_fails(root: ast.Node | None) -> bool:
    """Return whether computing it can never refuse a row: no arithmetic, no casts, no unknown function."""
    match root:
        case None | ast.ColumnRef() | ast.A_Const() | ast.SQLValueFunction():
            return True
        case ast.TypeCast():
            return isinstance(root.arg, ast.A_Const)
        case ast.NullTest():
            return never_fails(root.arg)
        case ast.BoolExpr() | ast.CoalesceExpr():
            return all(never_fails(part) for part in root.args)
        case ast.FuncCall():
            return function_of(root) in _NEVER_FAIL and all(never_fails(part) for part in root.args or ())
        case ast.A_Expr():
            name = ".".join(part.sval for part in root.name)
            return name in _COMPARISONS and never_fails(root.lexpr) and never_fails(root.rexpr)
        case _:
            return False
