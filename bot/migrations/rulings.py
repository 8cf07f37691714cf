"""The assessment of one statement, and of a migration as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.model import Model


class Rollback(StrEnum):
    """Whether the old version can come back with the new schema in place."""

    SAFE = "safe"
    """The old version works, and nothing that it knows is lost."""
    UNTIL = "until"
    """From this statement on the old version may fail, or misread what is written after it."""
    IMPOSSIBLE = "impossible"
    """Data is lost, or it cannot be known that none is."""

    @property
    def badness(self) -> int:
        """Rank: 0 is safe."""
        return list(Rollback).index(self)


class MigrationStage(StrEnum):
    """What a statement is for: it adds, moves data, or takes away."""

    EXPAND = "expand"
    MIGRATE = "migrate"
    CONTRACT = "contract"


class Lock(StrEnum):
    """The strongest lock a statement takes on a table that was there before, by PostgreSQL's names."""

    NONE = ""
    ROW_EXCLUSIVE = "ROW EXCLUSIVE"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE = "SHARE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"


@dataclass(frozen=True, kw_only=True)
class MigrationRuling:
    """What one statement, or one part of it, does."""

    stage: MigrationStage
    rollback: Rollback
    because: str
    lock: Lock = Lock.NONE
    rewrites: bool = False
    """The whole table is written anew, under the lock."""
    alone: bool = False
    """PostgreSQL refuses it inside a transaction."""


class Statement(Model):
    """One statement of a migration and its assessment."""

    sql: str
    stage: MigrationStage
    rollback: Rollback
    because: str
    lock: Lock
    rewrites: bool
    alone: bool


class Assessment(Model):
    """The assessment of a migration; ``step`` is its worst statement, empty if all are safe."""

    statements: tuple[Statement, ...]
    rollback: Rollback
    step: str
    because: str
    transactional: bool
    """All of it may run in one transaction."""


def safe(
    stage: MigrationStage, because: str, *, lock: Lock = Lock.NONE, rewrites: bool = False
) -> MigrationRuling:
    """Rule that the old version does not notice."""
    return MigrationRuling(stage=stage, rollback=Rollback.SAFE, because=because, lock=lock, rewrites=rewrites)


def until(
    stage: MigrationStage, because: str, *, lock: Lock = Lock.NONE, rewrites: bool = False
) -> MigrationRuling:
    """Rule that from here on, going back has a cost."""
    return MigrationRuling(
        stage=stage, rollback=Rollback.UNTIL, because=because, lock=lock, rewrites=rewrites
    )


def impossible(
    stage: MigrationStage, because: str, *, lock: Lock = Lock.NONE, rewrites: bool = False
) -> MigrationRuling:
    """Rule that there is no way back, or no known one."""
    return MigrationRuling(
        stage=stage, rollback=Rollback.IMPOSSIBLE, because=because, lock=lock, rewrites=rewrites
    )


def unknown(what: str) -> MigrationRuling:
    """Rule on a statement that is not understood: it is never safe."""
    return impossible(MigrationStage.CONTRACT, f"{what}: its effect is unknown", lock=Lock.ACCESS_EXCLUSIVE)


def worst(rulings: list[MigrationRuling]) -> MigrationRuling:
    """Combine the rulings on the parts of one statement; its reason is that of the first worst part."""
    lead = max(rulings, key=lambda ruling: ruling.rollback.badness)
    return MigrationRuling(
        stage=max((ruling.stage for ruling in rulings), key=list(MigrationStage).index),
        rollback=lead.rollback,
        because=lead.because,
        lock=max((ruling.lock for ruling in rulings), key=list(Lock).index),
        rewrites=any(ruling.rewrites for ruling in rulings),
        alone=any(ruling.alone for ruling in rulings),
    )
