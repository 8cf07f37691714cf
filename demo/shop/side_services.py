"""Services beside the buyers' way, for deployments of every kind: light processes behind the same HAProxy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from demo.shop.haproxy_config import CANDIDATE, STABLE, BackendConfig
from demo.shop.processes import Ports
from demo.shop.units import Unit

_WHOLE = 100


@dataclass(frozen=True, kw_only=True)
class SideServices:
    """One such service: the slots that serve when the shop opens, and one that waits for a version."""

    address: str
    serving: tuple[str, ...]
    spare: str = ""
    feature: str = ""
    """The key of the flag of what is new in it."""
    cookie: str = ""
    """The cookie that holds clients to their slot, where they keep it."""
    watched: bool = False
    """Whether Prometheus reads it, and alerts on its errors."""

    @property
    def service(self) -> str:
        """Its name without the environment."""
        return self.address.partition("@")[0]

    @property
    def backend(self) -> str:
        """Its name in HAProxy, which allows no ``@``."""
        return self.address.replace("@", "-")

    @property
    def slots(self) -> tuple[str, ...]:
        """Every slot."""
        return (*self.serving, *((self.spare,) if self.spare else ()))


SIDES = (
    SideServices(address="checkout@staging", serving=(STABLE,), spare=CANDIDATE),
    SideServices(address="catalog", serving=("a", "b", "c", "d"), spare="spare"),
    SideServices(address="receipts", serving=("blue",), spare="green", cookie="SLOT", watched=True),
    SideServices(address="gift-cards", serving=("blue",), spare="green", watched=True),
    SideServices(address="gift-cards@staging", serving=("blue",), spare="green"),
    SideServices(address="search", serving=("live",), feature="by-taste", watched=True),
    SideServices(address="search@staging", serving=("live",), feature="by-colour", watched=True),
)

SYNCED = {
    "search": "environments/production/search.yaml",
    "search@staging": "environments/staging/search.yaml",
}
"""Services whose version stands in Git, with the file of each."""


@dataclass(frozen=True, kw_only=True)
class FlagTeller:
    """The server for flags: OpenFeature's remote evaluation protocol under ``<url>/<address>``."""

    url: str
    token: str = ""


def units_of(
    side: SideServices, folder: Path, ports: Ports, *, flags: FlagTeller | None = None
) -> list[Unit]:
    """Choose a port for each slot."""
    return [
        Unit(
            service=side.service,
            address=side.address,
            slot=slot,
            port=ports.take(),
            log=folder / f"{side.backend}-{slot}.jsonl",
            urls={"flags": f"{flags.url}/{side.address}"} if flags is not None else {},
            feature=side.feature,
            flags_token=flags.token if flags is not None else "",
            light=True,
            watched=side.watched,
            at_first=slot in side.serving,
        )
        for slot in side.slots
    ]


def backend_of(side: SideServices, units: list[Unit], *, port: int) -> BackendConfig:
    """Put HAProxy in front; after a restart the first servers serve, whatever was set before."""
    return BackendConfig(
        name=side.backend,
        port=port,
        server_ports={unit.slot: unit.port for unit in units},
        weights={slot: _WHOLE if slot in side.serving else 0 for slot in side.slots},
        cookie=side.cookie,
    )
