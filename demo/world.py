"""All parts of the running shop, for those who act on more than one of them."""

from __future__ import annotations

from dataclasses import dataclass

from demo.fleet import Fleet
from demo.haproxy import HAProxy
from demo.launcher import Launcher
from demo.ledger import Ledger
from demo.load import Load
from demo.monitoring import Monitoring
from demo.postgres import Postgres
from demo.settings import SettingsStore
from demo.streams import Streams
from demo.syncer import Syncer


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
