"""How much each figure of a candidate counts, with the record of how that was fitted."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from bot.domain.model import JsonObject, Model


class CommitWeights(Model):
    """Of the utilities: ``candidate`` by the figure's name, ``none`` with ``bias`` and ``outside``.

    ``threshold`` is the least probability at which a commit is named.  ``record`` is how they were fitted.
    """

    candidate: dict[str, float]
    none: dict[str, float]
    threshold: float = 0.5
    record: JsonObject


@cache
def shipped() -> CommitWeights:
    """Read the weights that ship, once."""
    text = (files("bot.diagnosis.commits") / "weights.json").read_text(encoding="utf-8")
    return CommitWeights.model_validate_json(text)
