"""Puts the shop's parts together: who listens where, who knows whom; nothing is started here."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.fleet import Fleet
from demo.shop.haproxy import WHOLE, HAProxy
from demo.shop.haproxy_config import BACKEND, CANDIDATE, STABLE, BackendConfig, Holder, Lease
from demo.shop.launcher import ShopLauncher
from demo.shop.load import BuyerLoad
from demo.shop.monitoring import Monitoring, ScrapeTarget
from demo.shop.postgres import APP, OWNER, PROBE, STAGING, Postgres, programs
from demo.shop.processes import Ports
from demo.shop.repository import BareRepository
from demo.shop.settings import SettingsStore
from demo.shop.side_services import SIDES, SYNCED, FlagTeller, backend_of, units_of
from demo.shop.streams import Questions, Streams
from demo.shop.syncer import Syncer
from demo.shop.units import FIRST_VERSIONS, Unit
from demo.shop.world import ShopWorld

GIT = "git"
"""The folder for the repository of environments, and for the bot's clone of it."""
OUTSIDE = "outside"
"""The folder for what an operator of the shop does not see: the banks' logs."""
MIGRATIONS = Path(__file__).resolve().parent / "migrations"
"""The migrations of each service, by version."""
_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """The parts and their addresses."""

    folder: Path
    world: ShopWorld
    repository: BareRepository
    control_port: int

    @property
    def has_lease(self) -> bool:
        """Whether checkout's candidate takes traffic only while its lease is held."""
        return self.world.haproxy.backend(BACKEND).lease is not None

    @property
    def control_url(self) -> str:
        """Where the control API and its page are."""
        return _url(self.control_port)

    @property
    def targets(self) -> list[ScrapeTarget]:
        """What Prometheus reads: our own services, not the banks."""
        return [
            ScrapeTarget(service=unit.service, port=unit.port, slot=unit.slot)
            for unit in self.world.fleet.units
            if not unit.light and not unit.service.startswith("bank")
        ]

    @property
    def light_targets(self) -> list[ScrapeTarget]:
        """What Prometheus reads of services beside the buyers' way; a spare slot may be empty."""
        units = (unit for unit in self.world.fleet.units if unit.light and unit.watched)
        return [ScrapeTarget(service=unit.address, port=unit.port, slot=unit.slot) for unit in units]

    def env(self) -> dict[str, str]:
        """Write the environment that fills the placeholders of the catalogue."""
        world = self.world
        urls = {unit.name: unit.url for unit in world.fleet.units}
        return {
            "SHOP_CONTROL_URL": self.control_url,
            "SHOP_PROMETHEUS_URL": world.monitoring.prometheus_url,
            "SHOP_ALERTMANAGER_URL": world.monitoring.alertmanager_url,
            "SHOP_STOREFRONT_URL": urls["storefront"],
            "SHOP_CHECKOUT_URL": _url(world.haproxy.port),
            "SHOP_PAYMENTS_URL": urls["payments"],
            "SHOP_BANK_URL": urls["bank"],
            "SHOP_BANK_BACKUP_URL": urls["bank-backup"],
            "SHOP_CHECKOUT_STAGING_URL": _url(world.haproxy.backend("checkout-staging").port),
            "SHOP_CATALOG_URL": _url(world.haproxy.backend("catalog").port),
            "SHOP_RECEIPTS_URL": _url(world.haproxy.backend("receipts").port),
            "SHOP_GIFT_CARDS_URL": _url(world.haproxy.backend("gift-cards").port),
            "SHOP_GIFT_CARDS_STAGING_URL": _url(world.haproxy.backend("gift-cards-staging").port),
            "SHOP_SEARCH_URL": _url(world.haproxy.backend("search").port),
            "SHOP_SEARCH_STAGING_URL": _url(world.haproxy.backend("search-staging").port),
            "SHOP_GIT_REMOTE": str(self.repository.path),
            "SHOP_GIT_CLONE": str(self.folder / GIT / "clone"),
            "SHOP_LAUNCH_URL": f"{self.control_url}/launch",
            "SHOP_ROUTES_MAP": str(world.haproxy.routes),
            "SHOP_CHECKOUT_LEASE": f"{urls['checkout-candidate']}/healthz" if self.has_lease else "",
            "SHOP_POSTGRES_DSN": world.postgres.dsn(PROBE),
            "SHOP_POSTGRES_STAGING_DSN": world.postgres.dsn(PROBE, STAGING),
            "SHOP_POSTGRES_PROGRAMS": str(programs()),
            "SHOP_MIGRATIONS_DSN": world.postgres.dsn(OWNER),
            "SHOP_MIGRATIONS_STAGING_DSN": world.postgres.dsn(OWNER, STAGING),
            "SHOP_MIGRATIONS_DIR": str(MIGRATIONS),
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


def assemble(
    folder: Path,
    *,
    session: ClientSession,
    probe_session: ClientSession,
    ports: Ports,
    holder: Holder | None = None,
    flags: FlagTeller | None = None,
) -> Assembly:
    """Choose the ports and make every part.

    ``probe_session`` opens a new connection for each request; ``holder`` answers whether checkout's candidate
    may have traffic, and is none if no lease is needed; without ``flags`` no feature is on.
    """
    control_port = ports.take()
    ledger = ShopChangeLedger(_url(control_port))
    ledger.remember_history()
    settings = SettingsStore(folder / "settings", ledger)
    postgres = Postgres(folder / "postgres", folder / "logs" / "postgres.log", ports.take())
    haproxy = HAProxy(folder=folder / "haproxy", socket=_socket(folder), stats_port=ports.take(), backends=())
    checkout_port = ports.take()
    units = _units(folder, ports, settings, checkout_url=_url(checkout_port), dsn=postgres.dsn(APP))
    haproxy.backends = (_checkout(units, ports, port=checkout_port, holder=holder),)
    for side in SIDES:
        slots = units_of(side, folder / "logs", ports, flags=flags)
        haproxy.backends += (backend_of(side, slots, port=ports.take()),)
        units += slots
    fleet = Fleet(
        units,
        folder=folder / OUTSIDE,
        session=probe_session,
        haproxy=haproxy,
        ledger=ledger,
        fault_token=secrets.token_hex(16),
    )
    load = BuyerLoad(next(unit.url for unit in units if unit.service == "storefront"), session)
    asked = {side.address: _url(haproxy.backend(side.backend).port) for side in SIDES}
    repository = BareRepository(folder / GIT / "environments.git")
    world = ShopWorld(
        fleet=fleet,
        haproxy=haproxy,
        launcher=ShopLauncher(fleet),
        ledger=ledger,
        load=load,
        monitoring=Monitoring(folder, session, ports.take(), ports.take()),
        postgres=postgres,
        settings=settings,
        streams=Streams(load, {address: Questions(url, session) for address, url in asked.items()}),
        syncer=Syncer(repository, fleet, ledger, SYNCED),
    )
    return Assembly(folder=folder, world=world, repository=repository, control_port=control_port)


def first_versions() -> dict[str, str]:
    """Return the version that each file in Git names at first."""
    return {file: FIRST_VERSIONS[address.partition("@")[0]] for address, file in SYNCED.items()}


def _checkout(units: list[Unit], ports: Ports, *, port: int, holder: Holder | None) -> BackendConfig:
    lease = None
    if holder is not None:
        lease = Lease(server=CANDIDATE, holder=holder, check_port=ports.take())
    return BackendConfig(
        name=BACKEND,
        port=port,
        server_ports={unit.slot: unit.port for unit in units if unit.service == BACKEND},
        weights={STABLE: WHOLE, CANDIDATE: 0},
        routed=CANDIDATE,
        lease=lease,
    )


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
