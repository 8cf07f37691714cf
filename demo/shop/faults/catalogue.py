"""All faults, in the order in which the demo shows them."""

from __future__ import annotations

from demo.shop.faults.bad_configuration import BadConfiguration
from demo.shop.faults.bad_release import BadRelease
from demo.shop.faults.base import Fault
from demo.shop.faults.database_lock import DatabaseLock
from demo.shop.faults.dependency_down import DependencyDown
from demo.shop.faults.false_alarm import FalseAlarm
from demo.shop.faults.log_storm import LogStorm
from demo.shop.faults.loud_innocent import LoudInnocent
from demo.shop.faults.saturation import Saturation
from demo.shop.faults.two_faults import TwoFaults


def all_faults() -> list[Fault]:
    """Make one of each."""
    return [
        BadRelease(),
        DatabaseLock(),
        DependencyDown(),
        Saturation(),
        BadConfiguration(),
        LoudInnocent(),
        TwoFaults(),
        LogStorm(),
        FalseAlarm(),
    ]
