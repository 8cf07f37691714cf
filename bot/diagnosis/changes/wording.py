"""Words for changes: what was changed, when, and what has been wrong since."""

from __future__ import annotations

from bot.diagnosis.changes.evidence import ChangeEvidence
from bot.diagnosis.changes.inspection import Inspection
from bot.diagnosis.ranking.situation import Situation
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.formatting import duration, figure


def describe(change: Finding) -> str:
    """Name a change in a few words: ``deploy of storefront 2.3.1``."""
    kind = str(change.data.get("change_kind") or change.kind.value.removeprefix("change_"))
    if change.kind is FindingKind.CHANGE_DEPLOY:
        return f"{kind} of {change.service} {change.component}".strip()
    if change.component:
        before, after = change.data.get("before"), change.data.get("after")
        return f"{kind} {change.service}/{change.component} from {before} to {after}"
    return f"{kind} of {change.service}"


def taken_back(later: Finding) -> str:
    """Return what a change did that restored what was there before: ``checkout was rolled back to 1.4.1``."""
    if later.kind is FindingKind.CHANGE_DEPLOY:
        return f"{later.service} was rolled back to {later.component}"
    return f"{later.service}/{later.component} was set back to {later.data.get('after')}"


def deploy_summary(
    scene: Situation, evidence: ChangeEvidence, inspection: Inspection, *, replaced_by: str = ""
) -> str:
    """Return one sentence: what is wrong with a release, and which of its commits may be why.

    ``replaced_by`` is the version that runs, if it is a later one that builds on this one.
    """
    service, version = evidence.change.service, evidence.change.component
    how = inspection.words if inspection.is_named else ""
    when = f"was released{just_before(evidence)}{how}"
    if replaced_by:
        what = fails(scene, service, version=replaced_by)
        return f"{service} {what}; {version}, which {replaced_by} builds on, {when}."
    return f"{service} {version} {fails(scene, service, version=version)}; it {when}."


def setting_summary(scene: Situation, evidence: ChangeEvidence) -> str:
    """Return one sentence: what has been wrong since a setting was changed, and its old and new value."""
    change = evidence.change
    before, after = change.data.get("before"), change.data.get("after")
    return (
        f"{change.service} {fails(scene, change.service)}; its {change.component} was changed from {before} "
        f"to {after}{just_before(evidence)}."
    )


def fails(scene: Situation, service: str, *, version: str = "") -> str:
    """Return what is wrong with a service by its metrics; for one version, if they distinguish it."""
    rates = [f for f in scene.of(service, FindingKind.ERROR_RATE_UP) if f.component in {version, ""}]
    rates.sort(key=lambda f: f.component != version)
    value = rates[0].evidence[0].value if rates else None
    if value is not None:
        return f"fails {figure(value, 'ratio')} of its requests"
    slow = scene.of(service, FindingKind.LATENCY_UP)
    return "has become slow" if slow else "is in trouble"


def just_before(evidence: ChangeEvidence) -> str:
    """Return how long before the trouble a change came, if it came before; empty if that is not known."""
    if evidence.gap_s is None:
        return ""
    return (
        f" {duration(evidence.gap_s)} before the trouble began"
        if evidence.gap_s >= 1
        else " as the trouble began"
    )


def gap_words(evidence: ChangeEvidence) -> str:
    """Return how long a change had done no harm."""
    return f"it was in place for {duration(evidence.gap_s or 0.0)} before the trouble began"
