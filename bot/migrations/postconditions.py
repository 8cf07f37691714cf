"""What a migration promises: which objects are there after it, which are gone, whose rows it touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from bot.domain.model import Model
from bot.migrations.surroundings import name_of

_T = enums.AlterTableType
_O = enums.ObjectType
_RELATIONS = {_O.OBJECT_TABLE: "relation", _O.OBJECT_VIEW: "relation", _O.OBJECT_INDEX: "index"}
_C = enums.ConstrType
# The name of any other constraint of a column, such as of its default, is not kept by every server.
_KEPT_BY_NAME = frozenset({_C.CONSTR_CHECK, _C.CONSTR_UNIQUE, _C.CONSTR_PRIMARY, _C.CONSTR_FOREIGN})

Kind = Literal["relation", "column", "index", "constraint"]


class SchemaObject(Model):
    """One object; ``of`` is its table (for an index its schema, empty for ``public``)."""

    kind: Kind
    of: str
    name: str

    @property
    def title(self) -> str:
        """The name that people use."""
        joined = f"{self.of}.{self.name}" if self.of else self.name
        return f"the table or view {joined}" if self.kind == "relation" else f"the {self.kind} {joined}"


class Promise(Model):
    """What has to be true once the files are applied."""

    there: frozenset[SchemaObject] = frozenset()
    gone: frozenset[SchemaObject] = frozenset()
    not_null: frozenset[SchemaObject] = frozenset()
    """Columns that take no NULL any more."""
    unchecked: frozenset[SchemaObject] = frozenset()
    """Constraints that need not hold for the rows of before (``NOT VALID``)."""
    touched: frozenset[str] = frozenset()
    """Every table that is named."""
    loses: frozenset[str] = frozenset()
    """Tables whose rows may become fewer, because the migration deletes them on purpose."""


def promised_by(files: Sequence[str]) -> Promise:
    """Read files in the order in which they are applied; what PostgreSQL cannot parse promises nothing.

    Only what the SQL shows is known, not what a function or a ``DO`` block creates.
    """
    reader = _Reader()
    for sql in files:
        try:
            parsed = parse_sql(sql)
        except ParseError:
            continue
        for raw in parsed:
            reader.read(raw.stmt)
    return reader.promise()


class _Reader:
    def __init__(self) -> None:
        self._state: dict[SchemaObject, bool] = {}  # whether it is there
        self._table_of: dict[SchemaObject, str] = {}  # of indexes
        self._not_null: set[SchemaObject] = set()
        self._unchecked: set[SchemaObject] = set()
        self._touched: set[str] = set()
        self._loses: set[str] = set()

    def promise(self) -> Promise:
        there = frozenset(thing for thing, is_there in self._state.items() if is_there)
        return Promise(
            there=there,
            gone=frozenset(self._state) - there,
            not_null=frozenset(self._not_null),
            unchecked=frozenset(self._unchecked),
            touched=frozenset(self._touched),
            loses=frozenset(self._loses),
        )

    def read(self, node: ast.Node) -> None:
        named = _TableNames()
        named(node)
        self._touched |= named.tables - named.own
        self._loses |= named.loses
        match node:
            case ast.CreateStmt() if node.relation.relpersistence != "t":
                self._create(name_of(node.relation), node.tableElts or ())
            case ast.CreateTableAsStmt() if node.into.rel.relpersistence != "t":
                self._create(name_of(node.into.rel), ())
            case ast.ViewStmt() if node.view.relpersistence != "t":
                self._create(name_of(node.view), ())
            case ast.IndexStmt() if node.idxname:
                schema, _, _ = name_of(node.relation).rpartition(".")
                index = SchemaObject(kind="index", of=schema, name=node.idxname)
                self._table_of[index] = name_of(node.relation)
                self._set(index)
            case ast.AlterTableStmt() if node.objtype == _O.OBJECT_TABLE:
                for command in node.cmds:
                    self._alter(name_of(node.relation), command)
            case ast.RenameStmt() if node.relation is not None:
                self._rename(node)
            case ast.DropStmt():
                self._drop(node)
            case _:
                pass  # it promises nothing that can be checked

    def _set(self, thing: SchemaObject, *, there: bool = True) -> None:
        self._state[thing] = there
        if not there:
            self._not_null.discard(thing)
            self._unchecked.discard(thing)

    def _create(self, table: str, elements: Sequence[ast.Node]) -> None:
        self._set(_relation(table))
        for element in elements:
            if isinstance(element, ast.ColumnDef):
                self._column(table, element)
            elif isinstance(element, ast.Constraint) and element.conname:
                self._set(SchemaObject(kind="constraint", of=table, name=element.conname))

    def _column(self, table: str, column: ast.ColumnDef) -> None:
        self._set(SchemaObject(kind="column", of=table, name=column.colname))
        for constraint in column.constraints or ():
            if constraint.conname and constraint.contype in _KEPT_BY_NAME:
                self._set(SchemaObject(kind="constraint", of=table, name=constraint.conname))

    def _alter(self, table: str, command: ast.AlterTableCmd) -> None:
        column = SchemaObject(kind="column", of=table, name=command.name or "")
        constraint = SchemaObject(kind="constraint", of=table, name=command.name or "")
        match command.subtype:
            case _T.AT_AddColumn:
                self._column(table, command.def_)
            case _T.AT_DropColumn:
                self._forget(table, ("index", "constraint"))  # some of them may go with it
                self._set(column, there=False)
            case _T.AT_SetNotNull:
                self._not_null.add(column)
            case _T.AT_DropNotNull:
                self._not_null.discard(column)
            case _T.AT_AddConstraint | _T.AT_AddIndexConstraint if command.def_.conname:
                constraint = SchemaObject(kind="constraint", of=table, name=command.def_.conname)
                self._set(constraint)
                if getattr(command.def_, "skip_validation", False):
                    self._unchecked.add(constraint)
            case _T.AT_ValidateConstraint:
                self._unchecked.discard(constraint)
                self._set(constraint)
            case _T.AT_DropConstraint:
                self._set(constraint, there=False)
            case _:
                pass

    def _rename(self, node: ast.RenameStmt) -> None:
        table = name_of(node.relation)
        schema, _, _ = table.rpartition(".")
        match node.renameType:
            case _O.OBJECT_COLUMN:
                kind: Kind = "column"
                old, new = (
                    SchemaObject(kind=kind, of=table, name=name) for name in (node.subname, node.newname)
                )
            case _O.OBJECT_TABCONSTRAINT:
                kind = "constraint"
                old, new = (
                    SchemaObject(kind=kind, of=table, name=name) for name in (node.subname, node.newname)
                )
            case _O.OBJECT_TABLE:
                self._forget(table)
                self._loses.add(table)
                old, new = _relation(table), _relation(f"{schema}.{node.newname}".strip("."))
            case _:
                return
        self._set(old, there=False)
        self._set(new)

    def _drop(self, node: ast.DropStmt) -> None:
        kind = _RELATIONS.get(node.removeType)
        for item in node.objects if kind else ():
            parts = [part.sval for part in item]
            name = ".".join(parts[1:] if parts[0] == "public" else parts)
            if kind == "index":
                schema, _, index = name.rpartition(".")
                self._set(SchemaObject(kind="index", of=schema, name=index), there=False)
            else:
                self._forget(name)
                self._loses.add(name)
                self._set(_relation(name), there=False)

    def _forget(self, table: str, kinds: Sequence[Kind] = ("column", "index", "constraint")) -> None:
        """Drop all expectations about what a table had."""
        mine = {one for one in self._state if one.of == table or self._table_of.get(one) == table}
        for thing in [one for one in mine if one.kind in kinds]:
            self._set(thing, there=False)
            del self._state[thing]


def _relation(name: str) -> SchemaObject:
    return SchemaObject(kind="relation", of="", name=name)


class _TableNames(Visitor):  # type: ignore[misc]  # pglast is untyped
    """Collects the tables that a statement names, at any depth."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: set[str] = set()
        self.own: set[str] = set()
        self.loses: set[str] = set()

    def visit_RangeVar(self, _: object, node: ast.RangeVar) -> None:  # noqa: N802  # the visitor's
        self.tables.add(name_of(node))

    def visit_CommonTableExpr(self, _: object, node: ast.CommonTableExpr) -> None:  # noqa: N802
        self.own.add(node.ctename)

    def visit_DeleteStmt(self, _: object, node: ast.DeleteStmt) -> None:  # noqa: N802
        self.loses.add(name_of(node.relation))

    def visit_MergeStmt(self, _: object, node: ast.MergeStmt) -> None:  # noqa: N802
        self.loses.add(name_of(node.relation))

    def visit_TruncateStmt(self, _: object, node: ast.TruncateStmt) -> None:  # noqa: N802
        self.loses |= {name_of(relation) for relation in node.relations}
