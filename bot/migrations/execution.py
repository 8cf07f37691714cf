"""How a file has to be applied: in one transaction, in none, as one index, or in many small batches."""

from __future__ import annotations

import re

from pglast import ast, parse_sql, split
from pglast.parser import ParseError
from pglast.visitors import Visitor

from bot.domain.model import Model
from bot.migrations.assess import assess

_BACKFILL = re.compile(r"^--\s*backfill:\s*(?:(\w+)\.)?(\w+)\.(\w+)\s*$", re.MULTILINE)
_BOUNDS = frozenset({1, 2})


class Backfill(Model):
    """A statement that is run for one stretch of a whole-number key after the other."""

    schema_name: str = "public"
    table: str
    key: str
    """The column; ``$1`` of the statement is below the first of a stretch, ``$2`` is its last."""


class Manner(Model):
    """How a file is applied."""

    in_transaction: bool = True
    index: str = ""
    """The index that it builds concurrently, as SQL names it."""
    backfill: Backfill | None = None
    """What it goes through in batches, each with a transaction of its own."""
    refused: str = ""
    """Why it cannot be applied at all."""


def manner_of(sql: str) -> Manner:
    """Return how one file has to be applied, so that it happens once or not at all."""
    try:
        nodes = [raw.stmt for raw in parse_sql(sql)]
    except ParseError as error:
        return Manner(refused=f"PostgreSQL cannot parse it ({error.args[0]})")
    if unfit := next((why for node in nodes if (why := _unfit(node))), ""):
        return Manner(refused=unfit)
    if (found := _BACKFILL.search(sql)) is not None:
        schema, table, key = found.groups()
        return _batched(nodes, Backfill(schema_name=schema or "public", table=table, key=key))
    if any(_bounds_in(node) for node in nodes):
        return Manner(
            refused="it uses `$1` but is not a backfill; a backfill begins with `-- backfill: table.key`"
        )
    if assess(sql).transactional:
        return Manner()
    if len(nodes) != 1:
        return Manner(refused="a statement that may not run in a transaction needs a file of its own")
    [node] = nodes
    if not isinstance(node, ast.IndexStmt):
        return Manner(in_transaction=False)
    if not node.idxname:
        return Manner(
            refused="an index that is built concurrently needs a name, so that it can be found again"
        )
    schema = f'"{node.relation.schemaname}".' if node.relation.schemaname else ""
    return Manner(in_transaction=False, index=f'{schema}"{node.idxname}"')


def statements_of(sql: str) -> tuple[str, ...]:
    """Return the statements of a file that PostgreSQL can parse, one by one."""
    return tuple(split(sql))


def _unfit(node: ast.Node) -> str:
    """Return why a statement would break what the ledger and the limits promise; empty if it does not."""
    match node:
        case ast.TransactionStmt():
            return "it begins or ends a transaction itself, so the ledger entry could not be part of it"
        case ast.DiscardStmt():
            return "it discards the session, and with it the lock that keeps migrations apart"
        case _:
            return ""


def _batched(nodes: list[ast.Node], backfill: Backfill) -> Manner:
    if len(nodes) != 1 or not isinstance(nodes[0], ast.UpdateStmt | ast.InsertStmt | ast.DeleteStmt):
        return Manner(refused="a backfill is one UPDATE, INSERT or DELETE in a file of its own")
    if _bounds_in(nodes[0]) != _BOUNDS:
        return Manner(
            refused="a backfill limits its rows by `key > $1 AND key <= $2` and takes no other parameters"
        )
    return Manner(in_transaction=False, backfill=backfill)


def _bounds_in(node: ast.Node) -> set[int]:
    seen = _Parameters()
    seen(node)
    return seen.numbers


class _Parameters(Visitor):  # type: ignore[misc]  # pglast is untyped
    """Collects the numbers of a statement's parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()

    def visit_ParamRef(self, _: object, node: ast.ParamRef) -> None:  # noqa: N802  # the visitor's
        self.numbers.add(node.number)
