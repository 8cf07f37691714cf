"""What runs where: one unit a process, or a slot in which a version may be launched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo.shop.haproxy_config import CANDIDATE, STABLE

FIRST_VERSIONS = {
    "storefront": "2.3.0",
    "checkout": "1.4.1",
    "payments": "3.0.2",
    "bank": "7.4",
    "bank-backup": "7.4",
    "catalog": "2.0.4",
    "receipts": "1.2.0",
    "search": "0.9.1",
    "gift-cards": "1.0.0",
}
OURS = ("storefront", "checkout", "payments")
SLOTS = {"checkout": (STABLE, CANDIDATE)}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One process to run: a service, or one of the slots of a service behind HAProxy."""

    service: str
    address: str = ""
    """The service's name with its environment where that is not production, ``checkout@staging``."""
    slot: str = ""
    port: int
    log: Path
    settings: Path | None = None
    urls: Mapping[str, str]
    dsn: str = ""
    feature: str = ""
    """The key of the flag of what is new in it."""
    flags_token: str = ""
    light: bool = False
    """Whether it is a light process beside the buyers' way."""
    watched: bool = True
    """Whether Prometheus reads it; of most light processes only HAProxy knows how they are."""
    at_first: bool = True
    """Whether it runs when the shop opens; a spare slot waits for a launch."""

    @property
    def name(self) -> str:
        """The name of its process and log."""
        return unit_name(self.address or self.service, self.slot)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


def unit_name(address: str, slot: str) -> str:
    """Name the process of a service, or of one of its slots."""
    return f"{address}-{slot}" if slot else address
