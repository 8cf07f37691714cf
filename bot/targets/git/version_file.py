"""A version in a YAML or JSON file: read by its key, changed without touching anything else; pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence

import yaml

from bot.domain.errors import ActionFailedError


def version_in(text: str, key: str) -> str:
    """Return the value under a dotted key, such as ``image.tag``.

    Raises:
        ActionFailedError: there is no such key, or its value is not a scalar.
    """
    return str(_node(text, key).value)


def with_version(text: str, key: str, version: str) -> str:
    """Return the text with only that value changed: comments, order and quotes stay.

    Raises:
        ActionFailedError: as ``version_in``, or the changed text would not read back as ``version``, or would
            have anything else changed.
    """
    node = _node(text, key)
    wanted = _with_value(_values(_root(text)), key.split("."), version)
    for written in _ways_to_write(version, node.style):
        changed = text[: node.start_mark.index] + written + text[node.end_mark.index :]
        with contextlib.suppress(ActionFailedError):
            if _values(_root(changed)) == wanted:
                return changed
    raise ActionFailedError(f"{version!r} cannot be written under `{key}`.", code="target_refused")


def _ways_to_write(version: str, style: str | None) -> Iterator[str]:
    """Yield the version as YAML: in the quotes that are there, plain where it reads as text, else quoted."""
    if style == "'":
        yield "'" + version.replace("'", "''") + "'"
    elif style != '"' and _reads_as_text(version):
        yield version
    yield json.dumps(version)
    yield json.dumps(version, ensure_ascii=False)  # beyond 16 bits, YAML and JSON escape differently


def _reads_as_text(version: str) -> bool:
    """Return whether YAML reads the bare word as this text, not as a number or a date: 1.10 is not 1.1."""
    try:
        return bool(yaml.safe_load(version) == version)
    except yaml.YAMLError:
        return False


Tree = str | tuple[tuple["Tree", "Tree"], ...] | list["Tree"] | None
"""The values of a document; the order of keys counts, how they are quoted does not."""


def _values(node: yaml.Node | None) -> Tree:
    match node:
        case yaml.MappingNode():
            return tuple((_values(name), _values(value)) for name, value in node.value)
        case yaml.SequenceNode():
            return [_values(item) for item in node.value]
        case yaml.ScalarNode():
            return str(node.value)
        case _:
            return None


def _with_value(tree: Tree, names: Sequence[str], version: str) -> Tree:
    """Return the tree with the value under these names replaced, the first of each name."""
    if not names:
        return version
    assert isinstance(tree, tuple)  # noqa: S101  # the key has been found there
    place = next(place for place, (name, _) in enumerate(tree) if name == names[0])
    name, value = tree[place]
    return (*tree[:place], (name, _with_value(value, names[1:], version)), *tree[place + 1 :])


def _root(text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ActionFailedError("The file in Git is not YAML.", code="target_garbage") from error
    return root


def _node(text: str, key: str) -> yaml.ScalarNode:
    node = _root(text)
    for name in key.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for known, value in pairs if known.value == name), None)
    if not isinstance(node, yaml.ScalarNode):
        raise ActionFailedError(
            f"The file in Git has no value under `{key}`.",
            hint="Check `file` and `key` of the service's `git` in the catalogue.",
            code="target_not_configured",
        )
    return node
