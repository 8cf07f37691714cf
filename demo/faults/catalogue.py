"""All faults, in the order in which the demo shows them."""

from __future__ import annotations

from demo.faults.bad_configuration import BadConfiguration
from demo.faults.bad_release import BadRelease
from demo.faults.base import Fault
from demo.faults.database_lock import DatabaseLock
from demo.faults.dependency_down import DependencyDown
from demo.faults.false_alarm import FalseAlarm
from demo.faults.log_storm import LogStorm
from demo.faults.loud_innocent import LoudInnocent
from demo.faults.saturation import Saturation
from demo.faults.two_faults import TwoFaults


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
