"""Which contracts took away what an older version needs: that of the present one, and all between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain.model import Instant, Model

_NUMBERS = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)")


class ContractedObject(Model):
    """One file of a version's contract that was applied, or begun."""

    version: str
    file: str
    at: Instant

    @property
    def title(self) -> str:
        """Name it for people."""
        return f"contract/{self.file} of {self.version}"


def in_the_way(
    contracts: Sequence[ContractedObject], *, current: str, to: str, served_at: datetime | None = None
) -> tuple[ContractedObject, ...]:
    """List the contracts that ``to`` cannot live with, coming back from ``current``; pure.

    A contract takes away what versions before its own need: so each counts whose version is newer than
    ``to``, by their numbers.  Where these cannot be compared, each does that was applied after
    ``to`` last began to serve, or all of them if that time is not known: a rollback that may fail is not
    offered.  With an empty ``to`` only the contract of ``current`` is looked at.
    """
    return tuple(
        one
        for one in contracts
        if one.version != to
        and (one.version == current or (to and _is_newer(one, to=to, served_at=served_at)))
    )


def _is_newer(one: ContractedObject, *, to: str, served_at: datetime | None) -> bool:
    mine, theirs = _numbers(one.version), _numbers(to)
    if mine and theirs:
        return mine > theirs
    return served_at is None or one.at > served_at


def _numbers(version: str) -> tuple[int, ...]:
    """Read 1.10.0 as numbers, trailing zeros aside; empty where it is none such."""
    found = _NUMBERS.fullmatch(version)
    numbers = [int(number) for number in found[1].split(".")] if found else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
