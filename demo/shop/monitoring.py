"""Prometheus, which watches the shop, and Alertmanager, which calls the webhook."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.shop.alert_rules import RULES
from demo.shop.clock import iso
from demo.shop.processes import ChildProcess, ProcessSpec, find_program, until

_QUICK = ClientTimeout(total=2)
_ONE_CORE = {"GOMAXPROCS": "1"}


@dataclass(frozen=True, kw_only=True)
class ScrapeTarget:
    """One process that Prometheus reads."""

    service: str
    port: int
    slot: str = ""


@dataclass
class Monitoring:
    """Both servers; ``session`` is used to talk to them."""

    folder: Path
    session: ClientSession
    prometheus_port: int
    alertmanager_port: int
    prometheus: ChildProcess | None = None
    alertmanager: ChildProcess | None = None

    @property
    def prometheus_url(self) -> str:
        """Where Prometheus listens."""
        return f"http://127.0.0.1:{self.prometheus_port}"

    @property
    def alertmanager_url(self) -> str:
        """Where Alertmanager listens."""
        return f"http://127.0.0.1:{self.alertmanager_port}"

    async def start_alertmanager(self, *, webhook_url: str, webhook_token: str) -> None:
        """Start Alertmanager.

        Raises:
            ShopError: it is not installed or does not come up.
        """
        program = find_program("prometheus-alertmanager")
        folder = self.folder / "alertmanager"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "alertmanager.yml"
        config.touch(mode=0o600)  # it may hold a token
        written = alertmanager_config(webhook_url=webhook_url, webhook_token=webhook_token)
        config.write_text(json.dumps(written, indent=2), encoding="utf-8")
        self.alertmanager = ChildProcess(
            ProcessSpec(
                name="alertmanager",
                command=[
                    program,
                    f"--config.file={config}",
                    f"--storage.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.alertmanager_port}",
                    "--cluster.listen-address=",
                    "--data.retention=2h",
                    "--log.level=warn",
                ],
                output=folder / "alertmanager.log",
                environment=_ONE_CORE,
            )
        )
        await self.alertmanager.start()
        await self._until_ready(self.alertmanager_url, what="Alertmanager")

    async def start_prometheus(
        self, targets: list[ScrapeTarget], *, light: list[ScrapeTarget], haproxy_port: int, runbook_url: str
    ) -> None:
        """Start Prometheus.

        Raises:
            ShopError: it is not installed or does not come up.
        """
        program = find_program("prometheus")
        folder = self.folder / "prometheus"
        folder.mkdir(parents=True, exist_ok=True)
        rules = {
            "groups": [{"name": "shop", "rules": [rule.to_json(runbook_url=runbook_url) for rule in RULES]}]
        }
        (folder / "rules.yml").write_text(json.dumps(rules, indent=2), encoding="utf-8")
        config = prometheus_config(
            targets, light=light, haproxy_port=haproxy_port, alertmanager_port=self.alertmanager_port
        )
        (folder / "prometheus.yml").write_text(json.dumps(config, indent=2), encoding="utf-8")
        self.prometheus = ChildProcess(
            ProcessSpec(
                name="prometheus",
                command=[
                    program,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    "--storage.tsdb.retention.time=6h",
                    f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
                    f"--web.external-url={self.prometheus_url}/",
                    "--log.level=warn",
                ],
                output=folder / "prometheus.log",
                environment=_ONE_CORE,
            )
        )
        await self.prometheus.start()
        await self._until_ready(self.prometheus_url, what="Prometheus")

    async def stop(self) -> None:
        """Stop both."""
        children = [child for child in (self.prometheus, self.alertmanager) if child is not None]
        await asyncio.gather(*(child.stop() for child in children))

    async def firing(self) -> list[dict[str, Any]] | None:
        """List the alerts that Alertmanager holds active; none when it does not answer."""
        try:
            async with self.session.get(
                f"{self.alertmanager_url}/api/v2/alerts", params={"active": "true"}, timeout=_QUICK
            ) as answer:
                found: list[dict[str, Any]] = await answer.json()
        except (ClientError, TimeoutError, ValueError):
            return None
        return [
            {
                **alert["labels"],
                "since": alert["startsAt"],
                "summary": alert["annotations"].get("summary", ""),
            }
            for alert in found
        ]

    async def push(
        self, labels: dict[str, str], annotations: dict[str, str], *, starts_at: datetime, ends_at: datetime
    ) -> None:
        """Hand Alertmanager an alert that no rule has raised.

        Raises:
            ClientError: Alertmanager does not take it.
        """
        alert = {
            "labels": labels,
            "annotations": annotations,
            "startsAt": iso(starts_at),
            "endsAt": iso(ends_at),
            "generatorURL": f"{self.prometheus_url}/alerts",
        }
        async with self.session.post(
            f"{self.alertmanager_url}/api/v2/alerts", json=[alert], timeout=_QUICK
        ) as answer:
            answer.raise_for_status()

    async def _until_ready(self, url: str, *, what: str) -> None:
        async def ready() -> bool:
            try:
                async with self.session.get(f"{url}/-/ready", timeout=_QUICK) as answer:
                    return answer.ok
            except (ClientError, TimeoutError):
                return False

        await until(ready, what=what, timeout_s=60)


def prometheus_config(
    targets: list[ScrapeTarget], *, light: list[ScrapeTarget], haproxy_port: int, alertmanager_port: int
) -> dict[str, Any]:
    """Write what Prometheus reads; JSON is YAML.  No alert reports a ``light`` service as down."""
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]
        },
        "scrape_configs": [
            {
                "job_name": "services",
                "honor_labels": True,  # a service names itself as the target does
                "static_configs": [_place(target) for target in targets],
            },
            {
                "job_name": "light",
                "honor_labels": True,
                "static_configs": [_place(target) for target in light],
            },
            {
                "job_name": "haproxy",
                "scrape_interval": "5s",
                "params": {"scope": ["backend", "server"]},
                "static_configs": [{"targets": [f"127.0.0.1:{haproxy_port}"]}],
            },
        ],
    }


def _place(target: ScrapeTarget) -> dict[str, Any]:
    slot = {"slot": target.slot} if target.slot else {}
    return {"targets": [f"127.0.0.1:{target.port}"], "labels": {"service": target.service, **slot}}


def alertmanager_config(*, webhook_url: str, webhook_token: str = "") -> dict[str, Any]:
    """Write what Alertmanager reads; without a webhook it keeps alerts to itself."""
    receiver: dict[str, Any] = {"name": "webhook"}
    if webhook_url:
        hook: dict[str, Any] = {"url": webhook_url, "send_resolved": True}
        if webhook_token:
            hook["http_config"] = {"authorization": {"type": "Bearer", "credentials": webhook_token}}
        receiver["webhook_configs"] = [hook]
    return {
        "route": {
            "receiver": "webhook",
            "group_by": ["alertname", "service"],
            "group_wait": "0s",
            "group_interval": "2s",
            "repeat_interval": "1h",
        },
        "receivers": [receiver],
    }
