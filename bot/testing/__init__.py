"""In-memory stores, and the context that tests of probes and actions in other packages call them with."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from bot.domain.catalogue import Catalogue, Service
from bot.domain.clock import Clock
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.testing.stores import memory_context, memory_stores

__all__ = ["memory_context", "memory_stores", "plugin_context"]


def plugin_context(
    *,
    http: httpx.AsyncClient,
    service: str,
    sources: Mapping[str, Mapping[str, str]] | None = None,
    target: Mapping[str, Mapping[str, str]] | None = None,
    clock: Clock | None = None,
    timeout_s: float = 5,
    key: str = "run1:act:step1",
    epoch: int = 1,
) -> Context:
    """Return a context whose catalogue holds one ``service``, with these ``sources`` and this ``target``.

    Args:
        http: what the plugin sends its requests with; the caller closes it.
        service: the name of the service.
        sources: the settings of its data sources, by kind.
        target: the settings of what a deployment changes, by kind.
        clock: where time comes from; the machine's by default.
        timeout_s: seconds that the plugin has.
        key: the idempotency key of an action.
        epoch: the fencing token of an action.
    """
    settings = {"sources": sources or {}, "target": target or {}}
    known = Service.model_validate({"name": service, **settings})
    return memory_context(
        catalogue=Catalogue(services=(known,)),
        http=http,
        clock=clock,
        effect=Effect(key=key, epoch=epoch),
        timeout_s=timeout_s,
    )
