"""Puts the shop's parts together: who listens where, who knows whom; nothing is started here."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from demo.fleet import Fleet, Unit
from demo.haproxy import CANDIDATE, STABLE, HAProxy
from demo.ledger import Ledger
from demo.load import Load
from demo.monitoring import Monitoring, Target
from demo.postgres import APP, PROBE, Postgres
from demo.processes import Ports
from demo.settings import SettingsStore
from demo.world import World

OUTSIDE = "outside"
"""The folder for what an operator of the shop does not see: the banks' logs."""
_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """The parts and their addresses."""

    folder: Path
    world: World
    control_port: int

    @property
    def control_url(self) -> str:
        """Where the control API and its page are."""
        return _url(self.control_port)

    @property
    def targets(self) -> list[Target]:
        """What Prometheus reads: our own services, not the banks."""
        return [
            Target(service=unit.service, port=unit.port, slot=unit.slot)
            for unit in self.world.fleet.units
            if not unit.service.startswith("bank")
        ]

    def env(self) -> dict[str, str]:
        """Write the environment that fills the placeholders of the catalogue."""
        world, urls = self.world, {unit.name: unit.url for unit in self.world.fleet.units}
        return {
            "SHOP_CONTROL_URL": self.control_url,
            "SHOP_PROMETHEUS_URL": world.monitoring.prometheus_url,
            "SHOP_ALERTMANAGER_URL": world.monitoring.alertmanager_url,
            "SHOP_STOREFRONT_URL": urls["storefront"],
            "SHOP_CHECKOUT_URL": _url(world.haproxy.port),
            "SHOP_PAYMENTS_URL": urls["payments"],
            "SHOP_BANK_URL": urls["bank"],
            "SHOP_BANK_BACKUP_URL": urls["bank-backup"],
            "SHOP_POSTGRES_DSN": world.postgres.dsn(PROBE),
            "SHOP_HAPROXY_SOCKET": str(world.haproxy.socket),
            "SHOP_HAPROXY_STATS_URL": _url(world.haproxy.stats_port),
            "SHOP_LOG_DIR": str(self.folder / "logs"),
            "SHOP_STATE_DIR": str(self.folder),
        }

    def links(self) -> dict[str, str]:
        """List what a person may want to open in a browser."""
        return {
            "Prometheus": self.world.monitoring.prometheus_url,
            "Alertmanager": self.world.monitoring.alertmanager_url,
            "HAProxy": _url(self.world.haproxy.stats_port),
        }


def assemble(folder: Path, *, session: ClientSession, probe_session: ClientSession, ports: Ports) -> Assembly:
    """Choose the ports and make every part; ``probe_session`` opens a new connection for each request."""
    control_port, checkout_port = ports.take(), ports.take()
    ledger = Ledger(_url(control_port))
    ledger.remember_history()
    settings = SettingsStore(folder / "settings", ledger)
    postgres = Postgres(folder / "postgres", folder / "logs" / "postgres.log", ports.take())
    units = _units(folder, ports, settings, checkout_url=_url(checkout_port), dsn=postgres.dsn(APP))
    haproxy = HAProxy(
        folder=folder / "haproxy",
        socket=_socket(folder),
        port=checkout_port,
        stats_port=ports.take(),
        server_ports={unit.slot: unit.port for unit in units if unit.slot},
    )
    fleet = Fleet(
        units,
        folder=folder / OUTSIDE,
        session=probe_session,
        haproxy=haproxy,
        ledger=ledger,
        fault_token=secrets.token_hex(16),
    )
    world = World(
        fleet=fleet,
        haproxy=haproxy,
        ledger=ledger,
        load=Load(next(unit.url for unit in units if unit.service == "storefront"), session),
        monitoring=Monitoring(folder, session, ports.take(), ports.take()),
        postgres=postgres,
        settings=settings,
    )
    return Assembly(folder=folder, world=world, control_port=control_port)


def _units(folder: Path, ports: Ports, settings: SettingsStore, *, checkout_url: str, dsn: str) -> list[Unit]:
    def unit(service: str, *, slot: str = "", **others: Any) -> Unit:  # noqa: ANN401  # the fields of a Unit
        name = f"{service}-{slot}" if slot else service
        place = OUTSIDE if service.startswith("bank") else "logs"
        return Unit(
            service=service,
            slot=slot,
            port=ports.take(),
            log=folder / place / f"{name}.jsonl",
            settings=settings.path(service),
            **{"urls": {}, **others},
        )

    banks = [unit("bank"), unit("bank-backup")]
    payments = unit("payments", urls={bank.service: bank.url for bank in banks})
    behind = {"urls": {"payments": payments.url}, "dsn": dsn}
    return [
        *banks,
        payments,
        *(unit("checkout", slot=slot, **behind) for slot in (STABLE, CANDIDATE)),
        unit("storefront", urls={"checkout": checkout_url}),
    ]


def _socket(folder: Path) -> Path:
    near = folder / "haproxy" / "admin.sock"
    if len(str(near)) <= _LONGEST_SOCKET_PATH:
        return near
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"shop-haproxy-{digest}.sock"


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
