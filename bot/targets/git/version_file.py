"""A version in a YAML or JSON file: read by its key, changed without touching anything else; pure."""

from __future__ import annotations

import json

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
        ActionFailedError: as ``version_in``, or the changed text would not read back as ``version``.
    """
    node = _node(text, key)
    quoted = f"{node.style}{version}{node.style}" if node.style in {"'", '"'} else _plain(version)
    changed = text[: node.start_mark.index] + quoted + text[node.end_mark.index :]
    if version_in(changed, key) != version:
        raise ActionFailedError(f"{version!r} cannot be written under `{key}`.", code="target_refused")
    return changed


def _plain(version: str) -> str:
    """Return the version, quoted if YAML would read it as a number or a date: 1.10 is not 1.1."""
    try:
        reads_as_text = yaml.safe_load(version) == version
    except yaml.YAMLError:
        reads_as_text = False
    return version if reads_as_text else json.dumps(version)


def _node(text: str, key: str) -> yaml.ScalarNode:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ActionFailedError("The file in Git is not YAML.", code="target_garbage") from error
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
