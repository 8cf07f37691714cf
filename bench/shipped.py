"""The triage runbook that ships, with probes that tell of a bad release without reading anything."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.engines.pilothouse import Parts, assembled
from bot.bootstrap import load_plugins
from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnoses.finding import Evidence, Facts, Finding, FindingKind, Findings
from bot.engine.plugins import Context, Plugin, Plugins

SERVICE = "checkout"
_RUNBOOKS = Path(__file__).resolve().parent.parent / "runbooks"
_SEEN: dict[str, tuple[FindingKind, ...]] = {
    "logs.errors": (FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_ERRORS),
    "prometheus.anomalies": (FindingKind.ERROR_RATE_UP, FindingKind.LATENCY_UP),
    "changes.recent": (FindingKind.CHANGE_DEPLOY,),
    "http.dependencies": (),
    "postgres.health": (),
}
_FAMILIES = {"prometheus": "metrics", "http": "dependencies", "postgres": "database"}


@contextlib.asynccontextmanager
async def shipped(redis_url: str) -> AsyncIterator[Parts]:
    """Assemble the engine around the runbooks that ship."""
    catalogue = Catalogue(services=(Service(name=SERVICE, channel="checkout-oncall"),))
    async with assembled(redis_url, plugins=_plugins(), runbooks=_RUNBOOKS, catalogue=catalogue) as parts:
        yield parts


def _plugins() -> Plugins:
    real = load_plugins()
    canned = {name: _bringing(real.get(name), kinds) for name, kinds in _SEEN.items()}
    around = replace(real.get("catalogue.neighbourhood"), function=_neighbourhood)
    return Plugins({**real.by_name, **canned, around.name: around})


def _bringing(plugin: Plugin, kinds: tuple[FindingKind, ...]) -> Plugin:
    family = plugin.name.partition(".")[0]

    async def bring(ctx: Context, **arguments: Any) -> Findings:  # noqa: ANN401  # whatever the probe takes
        del arguments
        items = tuple(_finding(ctx, _FAMILIES.get(family, family), kind) for kind in kinds)
        return Findings(items=items, looked_at="14 series of 4 services over 30 min")

    return replace(plugin, function=bring)


async def _neighbourhood(ctx: Context, *, service: str) -> Facts:
    del ctx
    return Facts(summary=f"{service} stands on nothing", data={"service": service, "depends_on": []})


def _finding(ctx: Context, source: str, kind: FindingKind) -> Finding:
    evidence = Evidence(
        text="18 % of requests fail with version 1.4.2, 0.1 % with 1.4.1",
        query='sum(rate(http_requests_total{service="checkout",code=~"5.."}[1m])) by (version)',
        value=0.18,
        baseline=0.001,
        unit="ratio",
    )
    return Finding(
        id=f"{source}:{kind}:{SERVICE}",
        source=source,
        kind=kind,
        service=SERVICE,
        component="1.4.2",
        summary="Errors of version 1.4.2 have gone up from 0.1 % to 18 %",
        began_at=ctx.clock.now() - timedelta(seconds=240),
        strength=0.95,
        evidence=(evidence, evidence),
        data={"version": "1.4.2", "previous_version": "1.4.1"},
    )
