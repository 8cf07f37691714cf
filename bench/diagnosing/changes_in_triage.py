"""The cases of ``rank-changes`` as a triage sees them: findings of logs, metrics and releases alone."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

from bot.diagnosis.commits.case import NONE, ChangeCase, CommitRollout, LogRecord
from bot.diagnosis.commits.symptoms import Symptoms, read
from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings
from bot.domain.model import JsonObject

_SAMPLES = 5
_WINDOW = timedelta(hours=6)
_SHORT = 7


def named_in_triage(case: ChangeCase) -> str:
    """Give the commit that a triage of the alert's service names with a cause that was found, or ``none``."""
    found = triaged(case)
    top = found.top
    if top is None or "commit" not in top.data:
        return NONE
    return next(commit.sha for commit in case.commits if commit.sha.startswith(str(top.data["commit"])))


def triaged(case: ChangeCase) -> Diagnosis:
    """Diagnose a case from what sources could have told of it: no series, no spans, no status page.

    Each roll-out is a release that brought the one commit that it names.
    """
    symptoms = read(case)
    seen = {"logs": _lines(case, symptoms), "metrics": _errors(case, symptoms), "changes": _releases(case)}
    return rank_causes(
        service=case.alert.service,
        catalogue=_catalogue(case),
        results={name: Findings(items=tuple(items), looked_at=name) for name, items in seen.items()},
        now=case.alert.fired_at,
        since_s=_WINDOW.total_seconds(),
    )


def _catalogue(case: ChangeCase) -> Catalogue:
    """Draw who calls whom from the spans."""
    calls: defaultdict[str, set[str]] = defaultdict(set)
    for call in case.calls:
        for caller, callee in pairwise([*call.callers, call.service]):
            calls[caller].add(callee)
    names = {*calls, *(c.service for c in case.calls), *(r.service for r in case.rollouts)}
    names |= {case.alert.service, *(line.service for line in case.lines)}
    return Catalogue.model_validate(
        {"services": [{"name": name, "depends_on": sorted(calls[name] - {name})} for name in sorted(names)]}
    )


def _lines(case: ChangeCase, symptoms: Symptoms) -> list[Finding]:
    by_service: defaultdict[str, list[LogRecord]] = defaultdict(list)
    for line in symptoms.complaints:
        by_service[line.service].append(line)
    others = {line.service for line in case.lines}
    found = []
    for service, lines in sorted(by_service.items()):
        shares = {name: sum(name in line.text for line in lines) / len(lines) for name in others - {service}}
        data: JsonObject = {
            "level": "ERROR",
            "samples": [*dict.fromkeys(line.text for line in lines)][:_SAMPLES],
            "mentions": {name: share for name, share in sorted(shares.items()) if share},
        }
        found.append(_finding("logs", FindingKind.LOG_ERRORS, service, lines[0].at, data))
    return found


def _errors(case: ChangeCase, symptoms: Symptoms) -> list[Finding]:
    failing = {case.alert.service, *(call.service for call in case.calls if call.failed)}
    return [
        _finding("metrics", FindingKind.ERROR_RATE_UP, service, symptoms.onset, {"value": 0.5})
        for service in sorted(failing)
    ]


def _releases(case: ChangeCase) -> list[Finding]:
    fired_at = case.alert.fired_at
    near = [rollout for rollout in case.rollouts if fired_at - _WINDOW <= rollout.at <= fired_at]
    return [_release(case, rollout, number) for number, rollout in enumerate(near)]


def _release(case: ChangeCase, rollout: CommitRollout, number: int) -> Finding:
    brought = [commit for commit in case.commits if commit.sha.startswith(rollout.sha[:_SHORT])]
    data: JsonObject = {
        "version": rollout.sha[:_SHORT],
        "change_id": str(number),
        "commits": [
            {"sha": one.sha, "message": one.message, "files": [*one.files], "diff": one.diff}
            for one in brought
        ],
        "commits_removed": 0,
        "commits_complete": bool(brought),
    }
    found = _finding("changes", FindingKind.CHANGE_DEPLOY, rollout.service, rollout.at, data)
    return found.model_copy(
        update={"id": f"{found.id}:{number}", "component": rollout.sha[:_SHORT], "strength": 1.0}
    )


def _finding(source: str, kind: FindingKind, service: str, at: datetime, data: JsonObject) -> Finding:
    return Finding(
        id=f"{source}:{kind.value}:{service}",
        source=source,
        kind=kind,
        service=service,
        summary=f"{service}: {kind.value}.",
        began_at=at,
        strength=0.9,
        evidence=(Evidence(text=kind.value),),
        data=data,
    )
