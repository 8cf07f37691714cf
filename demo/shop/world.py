"""All parts of the running shop, for those who act on more than one of them."""

from __future__ import annotations

from dataclasses import dataclass

from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.fleet import Fleet
from demo.shop.haproxy import HAProxy
from demo.shop.launcher import ShopLauncher
from demo.shop.load import BuyerLoad
from demo.shop.monitoring import Monitoring
from demo.shop.postgres import Postgres
from demo.shop.settings import SettingsStore
from demo.shop.streams import Streams
from demo.shop.syncer import Syncer


@dataclass(frozen=True, kw_only=True)
class ShopWorld:
    """The shop's parts, each already started."""

    fleet: Fleet
    haproxy: HAProxy
    launcher: ShopLauncher
    ledger: ShopChangeLedger
    load: BuyerLoad
    monitoring: Monitoring
    postgres: Postgres
    settings: SettingsStore
    streams: Streams
    syncer: Syncer
