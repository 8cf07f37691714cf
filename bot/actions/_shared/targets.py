"""The target helpers that every action needs."""

from bot.targets.support.http_effects import (
    ACTOR,
    PATIENCE,
    change_of,
    effect_of,
    field_of,
    look,
    path_segment,
    settings_of,
    write,
)

__all__ = [
    "ACTOR",
    "PATIENCE",
    "change_of",
    "effect_of",
    "field_of",
    "look",
    "path_segment",
    "settings_of",
    "write",
]
