"""Names for the shapes that travel as JSON."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""One JSON object, as Slack sends and takes them."""

Blocks: TypeAlias = list[Json]
"""A list of Block Kit blocks."""
