"""Templates in runbooks: text with ``{{ expressions }}``, rendered in a sandbox with strict bounds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from jinja2 import nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser

from bot.domain.errors import TemplateError
from bot.domain.model import JsonValue
from bot.domain.nearest import did_you_mean
from bot.templating.sandbox import ENVIRONMENT, as_json, as_text, check_size

MAX_EXPRESSION: Final = 500
"""Characters of one expression."""

_SHOWN = 120
_MARKERS = ("{{", "{%", "{#")
_FAILURES = (
    JinjaError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NameError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What an expression can raise while it is compiled or evaluated; all of it is the template's fault."""


def render(value: JsonValue, scope: Mapping[str, object]) -> JsonValue:
    """Fill in every template in ``value``, however deep.

    A text that is exactly one ``{{ expression }}`` becomes the expression's own value (a number stays a
    number, the text ``1.4`` stays text); in any other text each expression becomes text.

    Raises:
        TemplateError: a template is malformed, refers to a missing name, or yields too much or no data.
    """
    if isinstance(value, str):
        return _render_text(value, scope) if is_template(value) else value
    if isinstance(value, list):
        return [render(item, scope) for item in value]
    if isinstance(value, dict):
        return {key: render(item, scope) for key, item in value.items()}
    return value


def evaluate(expression: str, scope: Mapping[str, object]) -> JsonValue:
    """Evaluate an expression (no braces) to data.

    Raises:
        TemplateError: it is malformed, refers to a missing name, or yields too much or no data.
    """
    compiled = _compiled(expression)
    try:
        return as_json(compiled(scope))
    except _FAILURES as error:
        raise (_unread(expression, scope) or _failure(expression, error)) from error


def truth(expression: str, scope: Mapping[str, object]) -> bool:
    """Return whether an expression (no braces) is true.

    Raises:
        TemplateError: as ``evaluate``; an undefined name is an error, not false.
    """
    return bool(evaluate(expression, scope))


def is_template(text: str) -> bool:
    """Return whether a text contains template markers."""
    return any(marker in text for marker in _MARKERS)


def problems(value: JsonValue, known: Collection[str]) -> list[str]:
    """List the problems of the templates in ``value`` where the names ``known`` can be referred to."""
    if isinstance(value, list):
        return [text for item in value for text in problems(item, known)]
    if isinstance(value, dict):
        return [text for item in value.values() for text in problems(item, known)]
    if not isinstance(value, str):
        return []
    try:
        expressions = expressions_in(value)
    except TemplateError as error:
        return [str(error).rstrip(".")]
    return [text for expression in expressions for text in expression_problems(expression, known)]


def expression_problems(expression: str, known: Collection[str]) -> list[str]:
    """List the problems of an expression where the names ``known`` can be referred to."""
    try:
        tree = _tree(expression)
        found = list(_misused(tree))
        if not found:
            _compiled(expression)
    except TemplateError as error:
        return [str(error).rstrip(".")]
    roots = dict.fromkeys(path[0] for path in references(expression))
    found += [
        f"nothing is called `{root}` here{did_you_mean(root, known)}" for root in roots if root not in known
    ]
    return [f"`{_shown(expression)}`: {text}" for text in found]


def references(expression: str) -> tuple[tuple[str, ...], ...]:
    """List what an expression refers to, such as ``("params", "service")``; each path once.

    Raises:
        TemplateError: it is malformed.
    """
    found: dict[tuple[str, ...], None] = {}
    _collect(_tree(expression), found)
    return tuple(found)


def expressions_in(text: str) -> tuple[str, ...]:
    """List the expressions of a template.

    Raises:
        TemplateError: it is malformed.
    """
    return tuple(part.source for part in _parts(text) if isinstance(part, _Hole))


@dataclass(frozen=True)
class _Hole:
    """A place in a text that an expression fills."""

    source: str


def _render_text(text: str, scope: Mapping[str, object]) -> JsonValue:
    parts = _parts(text)
    if len(parts) == 1 and isinstance(parts[0], _Hole):
        return evaluate(parts[0].source, scope)
    try:
        filled = "".join(
            part if isinstance(part, str) else as_text(evaluate(part.source, scope)) for part in parts
        )
        check_size(len(filled))
    except ValueError as error:
        raise _failure(text, error) from error
    return filled


@lru_cache(maxsize=4096)
def _parts(text: str) -> tuple[str | _Hole, ...]:
    """Split a template into plain text and holes; white space around a lone hole is ignored."""
    try:
        tokens = list(ENVIRONMENT.lex(text))
    except TemplateSyntaxError as error:
        raise _failure(text, error) from error
    parts: list[str | _Hole] = []
    hole: list[str] | None = None
    for _line, kind, value in tokens:
        if kind == "variable_begin":
            hole = []
        elif kind == "variable_end":
            parts.append(_Hole("".join(hole or ()).strip()))
            hole = None
        elif hole is not None:
            hole.append(value)
        elif kind == "data":
            parts.append(value)
        else:
            raise _failure(text, ValueError("statements and comments are refused, only `{{ … }}` is known"))
    if hole is not None:
        raise _failure(text, ValueError("`{{` is not closed by `}}`"))
    holes = [part for part in parts if isinstance(part, _Hole)]
    lone = len(holes) == 1 and all(isinstance(part, _Hole) or part.isspace() for part in parts)
    return tuple(holes) if lone else tuple(parts)


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Callable[[Mapping[str, object]], object]:
    """Return a function of the scope; the most common expression, a bare path, is not compiled by Jinja2."""
    path = _path(_tree(expression))
    if path:
        return partial(_follow, path)
    try:
        return ENVIRONMENT.compile_expression(expression, undefined_to_none=False)
    except _FAILURES as error:
        raise _failure(expression, error) from error


def _follow(path: tuple[str, ...], scope: Mapping[str, object]) -> object:
    root = path[0]
    value = scope[root] if root in scope else ENVIRONMENT.globals.get(root, ENVIRONMENT.undefined(name=root))
    for name in path[1:]:
        value = ENVIRONMENT.getattr(value, name)
    return value


def _tree(expression: str) -> nodes.Expr:
    _check_length(expression)
    try:
        parser = Parser(ENVIRONMENT, expression, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise ValueError("there is more after the expression")
    except _FAILURES as error:
        raise _failure(expression, error) from error
    return tree


def _check_length(expression: str) -> None:
    if not expression.strip():
        raise _failure("{{ }}", ValueError("it holds no expression"))
    if len(expression) > MAX_EXPRESSION:
        raise _failure(
            expression, ValueError(f"has {len(expression)} characters, at most {MAX_EXPRESSION} are allowed")
        )


def _misused(tree: nodes.Expr) -> Iterator[str]:
    """Yield unknown filters and tests, and calls: errors that would only show at run time."""
    whole = nodes.Output([tree])  # find_all looks below a node, not at it
    for used in whole.find_all((nodes.Filter, nodes.Test)):
        what = "filter" if isinstance(used, nodes.Filter) else "test"
        known = ENVIRONMENT.filters if isinstance(used, nodes.Filter) else ENVIRONMENT.tests
        if used.name not in known:
            yield f"no {what} is called `{used.name}`{did_you_mean(used.name, known)}"
    for call in whole.find_all(nodes.Call):
        if not (isinstance(call.node, nodes.Name) and call.node.name in ENVIRONMENT.globals):
            yield "only `range` can be called; everything else is a filter, such as `name | upper`"


def _collect(node: nodes.Node, found: dict[tuple[str, ...], None]) -> None:
    path = _path(node)
    if path:
        if path[0] not in ENVIRONMENT.globals:
            found[path] = None
        return
    for child in node.iter_child_nodes():
        _collect(child, found)


def _path(node: nodes.Node) -> tuple[str, ...]:
    """Return ``a.b["c"]`` as a path; empty for anything else."""
    match node:
        case nodes.Name(name=str(name)):
            return (name,)
        case nodes.Getattr(node=inner, attr=str(name)):
            before = _path(inner)
        case nodes.Getitem(node=inner, arg=nodes.Const(value=str(name))):
            before = _path(inner)
        case _:
            return ()
    return (*before, name) if before else ()


def _unread(expression: str, scope: Mapping[str, object]) -> TemplateError | None:
    """Return an error that names the step whose missing result an expression uses, and why it is missing."""
    phases = scope.get("phases")
    for path in references(expression):
        match path, phases:
            case ("phases", phase, "steps", step, "result", *_), Mapping() if phase in phases:
                known = phases[phase].steps.get(step)
                if known is not None and known.result is None and known.error:
                    text = f"{known.title or step} has no result, because {known.error.rstrip('.')}."
                    return TemplateError(text, hint=known.hint)
            case _:
                pass
    return None


def _failure(source: str, error: BaseException) -> TemplateError:
    """Return an error that names the template and its problem."""
    text = "is nested too deep" if isinstance(error, RecursionError) else str(error) or type(error).__name__
    if isinstance(error, TemplateSyntaxError):
        text = error.message or text
    return TemplateError(f"`{_shown(source)}`: {text.rstrip('.')}.")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
