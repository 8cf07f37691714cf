"""How changes are told: what was changed, when, and what has been wrong since."""

from __future__ import annotations

from bot.diagnosis.ranking.inspections import Inspection
from bot.diagnosis.ranking.situation import Situation
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.wording import figure, span


def describe(change: Finding) -> str:
    """Name a change in a few words: ``deploy of storefront 2.3.1``."""
    kind = str(change.data.get("change_kind") or change.kind.value.removeprefix("change_"))
    if change.kind is FindingKind.CHANGE_DEPLOY:
        return f"{kind} of {change.service} {change.component}".strip()
    if change.component:
        before, after = change.data.get("before"), change.data.get("after")
        return f"{kind} {change.service}/{change.component} from {before} to {after}"
    return f"{kind} of {change.service}"


def deploy_summary(
    scene: Situation, change: Finding, inspection: Inspection, *, replaced_by: str = ""
) -> str:
    """Say of a release what is wrong with it, and which of its commits may be why.

    ``replaced_by`` is the version that runs, where it is a later one that stands on this one.
    """
    service, version = change.service, change.component
    how = inspection.words if inspection.is_named else ""
    when = f"was released{just_before(scene, change)}{how}"
    if replaced_by:
        what = fails(scene, service, version=replaced_by)
        return f"{service} {what}; {version}, on which {replaced_by} stands, {when}."
    return f"{service} {version} {fails(scene, service, version=version)}; it {when}."


def fails(scene: Situation, service: str, *, version: str = "") -> str:
    """Say what is wrong with a service, as far as metrics tell; of one version where they tell it apart."""
    rates = [f for f in scene.of(service, FindingKind.ERROR_RATE_UP) if f.component in {version, ""}]
    rates.sort(key=lambda f: f.component != version)
    value = rates[0].evidence[0].value if rates else None
    if value is not None:
        return f"fails {figure(value, 'ratio')} of its requests"
    slow = scene.of(service, FindingKind.LATENCY_UP)
    return "has become slow" if slow else "is in trouble"


def just_before(scene: Situation, change: Finding) -> str:
    """Say how long before the trouble a change came, where it came before; empty where that is not known."""
    onset = scene.onset(change.service)
    if onset is None or change.began_at is None:
        return ""
    gap_s = (onset - change.began_at).total_seconds()
    return f" {span(gap_s)} before the trouble began" if gap_s >= 1 else " as the trouble began"


def gap_words(scene: Situation, change: Finding) -> str:
    """Say how long a change had done no harm."""
    onset = scene.onset(change.service)
    gap_s = (onset - change.began_at).total_seconds() if onset and change.began_at else 0.0
    return f"it was in place for {span(gap_s)} before the trouble began"
