"""Slack in, engine out: one file per command or button family."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from slack_bolt.async_app import AsyncApp

from handlers.context import HandlerContext

__all__ = ["HandlerContext", "modules", "register_all"]


def modules() -> tuple[ModuleType, ...]:
    """Return every module of this folder that has a ``register``, sorted by name."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    loaded = (importlib.import_module(f"{__name__}.{name}") for name in names)
    return tuple(module for module in loaded if hasattr(module, "register"))


def register_all(app: AsyncApp, desk: HandlerContext) -> None:
    """Register every handler with ``app``."""
    for module in modules():
        module.register(app, desk)
