"""REDUCE: the ranked causes with their evidence, or that no fault or no cause was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from bot.domain.diagnoses.diagnosis import Cause, Diagnosis, ReducerResult, SourceStatus
from bot.domain.diagnoses.feedback import Feedback
from bot.domain.diagnoses.finding import FindingKind, Findings
from bot.domain.formatting import about, listed
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Reduce
from bot.views.blocks import section
from bot.views.limits import bold, prose
from bot.views.phrases import (
    BUSY,
    DONE,
    FAILED,
    GOOD,
    NEEDS_YOU,
    TARGET,
    WARNING,
    capital,
    human,
    in_readers_zone,
    likelihood,
    local,
    sentence,
)
from bot.views.thread.evidence import SHOWN, short_findings
from bot.views.thread.feedback import feedback_blocks
from bot.views.thread.second_look import second_look_line
from bot.views.thread.state import result_of, title_of, trouble_began

_WORTH_NAMING = 0.3
"""From this confidence on, 0 to 1, another cause is named in the thread."""
_TOP = 3
_RANKING = "rank_causes"
_MOST = 8
_ORDINARY = frozenset(
    {
        FindingKind.ALERT,
        FindingKind.CHANGE_DEPLOY,
        FindingKind.CHANGE_CONFIG,
        FindingKind.CHANGE_FLAG,
        FindingKind.CHANGE_OTHER,
    }
)
"""Findings that are not unusual in themselves."""
TIE = 0.05
"""Largest difference in confidence, 0 to 1, at which causes are shown as equally likely."""


def is_worth_showing(run: Run, phase: Reduce) -> bool:
    """Return whether a reducer has a reply: a diagnosis from its start on, a judgement unless it passed."""
    output = run.phases[phase.id].output
    if phase.reducer == _RANKING or (output or {}).get("type") == "diagnosis":
        return True
    return run.phases[phase.id].outcome is not None and (output or {}).get("verdict") != "pass"


def diagnosis_blocks(run: Run, phase: Reduce, *, feedback: Sequence[Feedback] = ()) -> list[JsonObject]:
    """Return the result of a reducer; a diagnosis also has its buttons and people's ratings."""
    state = run.phases[phase.id]
    title = bold(title_of(phase), 120)
    if state.outcome is None and state.output is None and run.outcome is not None:
        return [section(f"{FAILED} {title}: stopped before there was a result")]
    if state.outcome is None and state.output is None:
        return [section(f"{BUSY} {title}: weighing the evidence …")]
    if state.outcome == "failed" or state.output is None:
        return [section(f"{FAILED} {title}: {prose(state.why) or 'no result'}")]
    if state.output.get("type") == "diagnosis":
        blocks = _diagnosed(run, phase, Diagnosis.model_validate(state.output))
        if look := second_look_line(state):
            blocks.insert(1, section(look))
        return [*blocks, *feedback_blocks(run.id, feedback)]
    return [section(*_judged(title, ReducerResult.model_validate(state.output)))]


def _diagnosed(run: Run, phase: Reduce, diagnosis: Diagnosis) -> list[JsonObject]:
    match diagnosis.verdict:
        case "cause_found" if diagnosis.causes:
            return _cause_found(run, diagnosis)
        case "cause_found" | "unclear":
            return _unclear(run, diagnosis)
        case "no_fault_found":
            return _no_fault(run, phase)
        case _:
            assert_never(diagnosis.verdict)


def cause_line(cause: Cause) -> str:
    """Return a cause with its confidence, in bold."""
    return bold(f"{capital(likelihood(cause.confidence))}: {cause.summary}", 500)


def cause_in_root(run: Run, cause: Cause) -> str:
    """Return a cause with its confidence, as the root message has it."""
    return f"*Cause:* {sentence(_told(run, cause.summary, 500))} {capital(likelihood(cause.confidence))}."


def unread_line(diagnosis: Diagnosis) -> str:
    """Return which sources are missing, and that confidence is lower; empty if none is missing."""
    unread = [
        f"{prose(source.name, 60)} ({prose(source.why or source.status.replace('_', ' '), 160)})"
        for source in diagnosis.unread
        if source.status != "not_configured"
    ]
    if not unread:
        return ""
    missing = "it" if len(unread) == 1 else "them"
    title = "Not read in full" if any(s.status == "partial" for s in diagnosis.unread) else "Not read"
    return f"{WARNING} *{title}:* {listed(unread)}. Confidence is lower without {missing}."


def _cause_found(run: Run, diagnosis: Diagnosis) -> list[JsonObject]:
    top, *others = diagnosis.causes
    tied = [cause for cause in others if top.confidence - cause.confidence <= TIE]
    rest = [cause for cause in others if cause not in tied and cause.confidence >= _WORTH_NAMING]
    found = _evidence(run, diagnosis, top)
    title = f"{TARGET} *{'Evidence' if found else 'No evidence to show'}*"
    lines = [title, *found, _began(run, diagnosis, top)]
    against = [f"*Against it:* {sentence(_told(run, top.against[0], 200))}"] if top.against else []
    return [
        section(*lines, *against),
        *_group("About equally likely", [_suspect(run, cause) for cause in tied]),
        *_group("Also suspected", [_suspect(run, cause, against=False) for cause in rest[:1]]),
    ]


def _unclear(run: Run, diagnosis: Diagnosis) -> list[JsonObject]:
    named = [cause for cause in diagnosis.causes[:_TOP] if cause.summary.rstrip(".") not in diagnosis.summary]
    blocks = _group("Suspects", [_suspect(run, cause) for cause in named])
    if diagnosis.causes and (lines := _evidence(run, diagnosis, diagnosis.causes[0])):
        blocks.append(
            section("*Evidence for the first*" if len(diagnosis.causes) > 1 else "*Evidence*", *lines)
        )
    missing = [
        f"{prose(source.name, 60)} ({prose(source.why or source.status.replace('_', ' '), 120)})"
        for source in diagnosis.unread[:_MOST]
    ]
    read = [source for source in diagnosis.sources if source.status is SourceStatus.OK]
    without = f"I could not read {listed(missing)}." if missing else ""
    seen = f"Read: {listed([prose(source.name, 60) for source in read], most=_MOST)}." if read else ""
    return [section(f"{NEEDS_YOU} *What I could see*", seen, without), *blocks]


def _no_fault(run: Run, phase: Reduce) -> list[JsonObject]:
    steps = [step for name in phase.over for step in run.phases[name].steps.values()]
    looked = [
        prose(step.title or human(step.id), 60) for step in steps if isinstance(result_of(step), Findings)
    ]
    checked = f" {listed(looked, most=_MOST)}." if looked else ""
    return [section(f"{GOOD} *Checked:*{checked}")]


def harmless_line(run: Run) -> str:
    """Return the strongest finding of a run that found no fault: unusual, but harmless; empty without one."""
    over = {name for phase in run.runbook.phases if isinstance(phase, Reduce) for name in phase.over}
    results = [result_of(step) for name in over for step in run.phases[name].steps.values()]
    found = [
        finding
        for result in results
        if isinstance(result, Findings)
        for finding in result.items
        if finding.kind not in _ORDINARY
    ]
    lines = short_findings(run, found)
    return f"*Unusual, but harmless:* {sentence(lines[0].removeprefix('• '))}" if lines else ""


def _evidence(run: Run, diagnosis: Diagnosis, cause: Cause) -> list[str]:
    by_id = {finding.id: finding for finding in diagnosis.findings}
    known = [by_id[name] for name in cause.evidence if name in by_id]
    facts = [f"• {prose(name)}" for name in cause.evidence if name not in by_id]
    return [*short_findings(run, known, known=cause.summary), *facts][:SHOWN]


def _began(run: Run, diagnosis: Diagnosis, cause: Cause) -> str:
    began = diagnosis.onset or cause.began_at
    if began is None:
        return ""
    asked, what = trouble_began(run)
    ahead = (asked - began).total_seconds()
    relation = f", {about(ahead)} before {what}" if ahead > 0 else ""
    return f"The problem started at {local(began)}{relation}."


def _suspect(run: Run, cause: Cause, *, against: bool = True) -> str:
    doubt = f" Against it: {sentence(_told(run, cause.against[0], 160))}" if against and cause.against else ""
    return f"• {capital(likelihood(cause.confidence))}: {sentence(_told(run, cause.summary))}{doubt}"


def _told(run: Run, text: str, limit: int = 300) -> str:
    """Return text from outside with its times in the reader's zone."""
    return in_readers_zone(prose(text, limit), near=run.started_at)


def _group(title: str, lines: Sequence[str]) -> list[JsonObject]:
    return [section(f"*{title}*", *lines)] if lines else []


def _judged(title: str, judgement: ReducerResult) -> list[str]:
    marks = {"pass": DONE, "fail": FAILED, "unknown": WARNING}
    details = [f"• {prose(text)}" for text in judgement.details[:_MOST]]
    return [f"{marks[judgement.verdict]} {title}: {prose(judgement.summary)}", *details]
