"""All parts of the running shop, for those who act on more than one of them."""

from __future__ import annotations

from dataclasses import dataclass

from demo.shop.change_ledger import Ledger
from demo.shop.fleet import Fleet
from demo.shop.haproxy import HAProxy
from demo.shop.launcher import Launcher
from demo.shop.load import Load
from demo.shop.monitoring import Monitoring
from demo.shop.postgres import Postgres
from demo.shop.settings import SettingsStore
from demo.shop.streams import Streams
from demo.shop.syncer import Syncer


@dataclass(frozen=True, kw_only=True)
class World:
    """The shop's parts, each already started."""

    fleet: Fleet
    haproxy: HAProxy
    launcher: Launcher
    ledger: Ledger
    load: Load
    monitoring: Monitoring
    postgres: Postgres
    settings: SettingsStore
    streams: Streams
    syncer: Syncer
