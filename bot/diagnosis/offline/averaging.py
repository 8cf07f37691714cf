"""Averages the evidence over all the moments at which the trouble may have begun."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.diagnosis.offline.evidence import OfflineEvidence

_Name = tuple[str, str, str]


def averaged(looks: Iterable[tuple[float, Iterable[OfflineEvidence]]]) -> list[OfflineEvidence]:
    """Weigh each strength by the share of the moment that it is seen from.

    So nothing counts fully that is there from one moment and not from the next: Bayesian model averaging
    (Hoeting et al. 1999).  The shares add up to one.  The other figures are those of the moment
    that the evidence owes most to.
    """
    strengths: dict[_Name, float] = {}
    shown: dict[_Name, tuple[float, OfflineEvidence]] = {}
    for share, look in looks:
        for name, each in _by_name(look).items():
            part = share * each.strength
            strengths[name] = strengths.get(name, 0.0) + part
            if name not in shown or part > shown[name][0]:
                shown[name] = (part, each)
    return [replace(each, strength=min(strengths[name], 1.0)) for name, (_, each) in shown.items()]


def _by_name(look: Iterable[OfflineEvidence]) -> dict[_Name, OfflineEvidence]:
    """Return the stronger one of each name."""
    named: dict[_Name, OfflineEvidence] = {}
    for each in look:
        name = (each.service, each.kind, each.name)
        if name not in named or each.strength > named[name].strength:
            named[name] = each
    return named
