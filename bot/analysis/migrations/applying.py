"""What a file asks of whoever applies it: one transaction, none, or the building of one index."""

from __future__ import annotations

from pglast import ast, parse_sql
from pglast.parser import ParseError

from bot.analysis.migrations.assessing import assess
from bot.domain.model import Model


class Manner(Model):
    """How a file is applied."""

    in_transaction: bool = True
    index: str = ""
    """The index that it builds concurrently, as SQL names it."""
    refused: str = ""
    """Why it cannot be applied at all."""


def manner_of(sql: str) -> Manner:
    """Say how one file has to be applied, so that it happens once or not at all."""
    try:
        nodes = [raw.stmt for raw in parse_sql(sql)]
    except ParseError as error:
        return Manner(refused=f"PostgreSQL cannot parse it ({error.args[0]})")
    if any(isinstance(node, ast.TransactionStmt) for node in nodes):
        return Manner(refused="it begins or ends a transaction itself, which would part it from the ledger")
    if assess(sql).transactional:
        return Manner()
    if len(nodes) != 1:
        return Manner(refused="a statement that may not run in a transaction needs a file of its own")
    [node] = nodes
    if not isinstance(node, ast.IndexStmt):
        return Manner(in_transaction=False)
    if not node.idxname:
        return Manner(refused="an index that is built concurrently needs a name, to be found again")
    schema = f'"{node.relation.schemaname}".' if node.relation.schemaname else ""
    return Manner(in_transaction=False, index=f'{schema}"{node.idxname}"')
