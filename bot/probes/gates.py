"""Asks the gates of a service whether it may be deployed now; asking changes nothing."""

from __future__ import annotations

from bot.domain.finding import Facts
from bot.domain.freeze import rule_freeze
from bot.domain.gate import Ruling
from bot.engine.plugins import Context, probe


@probe(specialist="gates")
async def freeze(ctx: Context, *, service: str, version: str = "") -> Facts:
    """Whether a freeze window of the catalogue holds for a service now, why, and until when.

    ``data`` is the ruling: ``gate``, ``verdict`` (``proceed``, ``reject`` or ``unknown``), ``code``, ``why``,
    ``way_out``, ``until``, ``waivable`` and ``waived_by``.  Windows do not depend on ``version``.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    return _facts(_freeze(ctx, service), version=version)


def _freeze(ctx: Context, service: str) -> Ruling:
    return rule_freeze(ctx.catalogue.freezes_of(service), at=ctx.clock.now()).under(
        ctx.service(service).gates
    )


def _facts(ruling: Ruling, *, version: str) -> Facts:
    return Facts(summary=ruling.why, data={**ruling.as_data(), "version": version})
