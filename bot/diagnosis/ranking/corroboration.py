"""What the alerts of a service add to a suspicion: a little, and never a suspicion of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.diagnosis.ranking.situation import Situation
from bot.diagnosis.ranking.suspects import Suspect
from bot.domain.diagnoses.finding import Finding, FindingKind

ALERTS = "alerts"
"""The source of alerts, as findings name it."""
_WEIGHT = 0.1
"""Most alerts are made from the very metrics that have been read, so that they are hardly independent."""
_SLACK = timedelta(minutes=2)


def corroborate(scene: Situation, suspects: Iterable[Suspect]) -> None:
    """Let the alerts of a suspicion's service speak for it, each by how rare and how new it is.

    Not what has ended, not what fired before it began, and not the alert that asked the question.
    """
    for suspect in suspects:
        alerts = scene.of(suspect.service, FindingKind.ALERT)
        suspect.support([alert for alert in alerts if _speaks_for(alert, suspect)], _WEIGHT)


def _speaks_for(alert: Finding, suspect: Suspect) -> bool:
    if alert.strength == 0 or alert.data.get("ended") is True or alert.data.get("question") is True:
        return False
    if alert.began_at is None:
        return False
    return suspect.began_at is None or alert.began_at >= suspect.began_at - _SLACK
