"""REDUCE: the ranked causes with their evidence, or that no fault or no cause was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from bot.domain.diagnoses.diagnosis import Cause, Diagnosis, ReducerResult
from bot.domain.diagnoses.feedback import Feedback
from bot.domain.diagnoses.finding import Findings
from bot.domain.formatting import duration, listed
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
    after_echo,
    capital,
    likelihood,
    sentence,
    utc,
)
from bot.views.thread.evidence import finding_lines
from bot.views.thread.feedback import feedback_blocks
from bot.views.thread.second_look import second_look_line
from bot.views.thread.state import result_of, title_of, trouble_began

_TOP_EVIDENCE = 5
_TOP = 3
_MOST = 8
TIE = 0.05
"""Largest difference in confidence, 0 to 1, at which causes are shown as equally likely."""


def diagnosis_blocks(run: Run, phase: Reduce, *, feedback: Sequence[Feedback] = ()) -> list[JsonObject]:
    """Return the result of a reducer; a diagnosis also has its buttons and people's ratings."""
    state = run.phases[phase.id]
    title = bold(title_of(phase), 120)
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
            return _no_fault(run, phase, diagnosis)
        case _:
            assert_never(diagnosis.verdict)


def cause_line(cause: Cause) -> str:
    """Return a cause with its confidence, in bold."""
    return bold(f"{capital(likelihood(cause.confidence))}: {cause.summary}", 500)


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
    blocks = [section(f"{TARGET} {cause_line(top)}", _began(run, diagnosis, top))]
    if tied:
        blocks.append(section(*_list("About equally likely", map(_suspect, tied))))
    if top.evidence:
        blocks.append(section("*Evidence*", *_evidence(run, diagnosis, top)))
    rest = [cause for cause in others if cause not in tied]
    return _with_rest(
        blocks,
        _list("Evidence against", (prose(text) for text in top.against)),
        _list("Other suspects", map(_suspect, rest[:_TOP])),
        _ruled_out(diagnosis),
        [unread_line(diagnosis)],
    )


def _unclear(run: Run, diagnosis: Diagnosis) -> list[JsonObject]:
    blocks = [section(f"{NEEDS_YOU} *Cause unclear*", prose(diagnosis.summary, 800))]
    if diagnosis.causes:
        top = diagnosis.causes[0]
        blocks.append(section(*_list("Suspects", map(_suspect, diagnosis.causes[:_TOP]))))
        if top.evidence:
            blocks.append(section("*Evidence for the first*", *_evidence(run, diagnosis, top)))
    help_lines = [
        f"an answer from {prose(source.name, 60)}"
        f" ({prose(source.why or source.status.replace('_', ' '), 200)})"
        for source in diagnosis.unread[:_MOST]
    ]
    help_lines.append("triaging again in a minute or two, with more data, or over a longer time (`since 2h`)")
    return _with_rest(blocks, _list("What would help", help_lines), _ruled_out(diagnosis))


def _no_fault(run: Run, phase: Reduce, diagnosis: Diagnosis) -> list[JsonObject]:
    blocks = [
        section(f"{GOOD} *No fault found*", prose(after_echo(diagnosis.summary, "no fault found"), 600))
    ]
    looked, normal = [], []
    for name in phase.over:
        for step in run.phases[name].steps.values():
            result = result_of(step)
            if isinstance(result, Findings):
                looked.append(f"{prose(step.specialist or step.title, 60)}: {prose(result.looked_at)}")
                normal += [prose(text) for text in result.normal]
    return _with_rest(
        blocks,
        _list("Checked", looked[:_MOST]),
        _list("Normal", normal[:_MOST]),
        _ruled_out(diagnosis),
        [unread_line(diagnosis)],
    )


def _evidence(run: Run, diagnosis: Diagnosis, cause: Cause) -> list[str]:
    by_id = {finding.id: finding for finding in diagnosis.findings}
    lines: list[str] = []
    for name in cause.evidence[:_TOP_EVIDENCE]:
        finding = by_id.get(name)
        lines += [f"• {prose(name)}"] if finding is None else finding_lines(run, finding, queries=True)
    if len(cause.evidence) > _TOP_EVIDENCE:
        lines.append(f"• and {len(cause.evidence) - _TOP_EVIDENCE} more")
    return lines


def _began(run: Run, diagnosis: Diagnosis, cause: Cause) -> str:
    began = diagnosis.onset or cause.began_at
    if began is None:
        return ""
    asked, what = trouble_began(run)
    ahead = (asked - began).total_seconds()
    relation = f", {duration(ahead)} before {what}" if ahead > 0 else ""
    return f"The problem started at {utc(began, day=run.started_at)}{relation}."


def _suspect(cause: Cause) -> str:
    against = f" Against it: {prose(cause.against[0], 200)}" if cause.against else ""
    return f"{capital(likelihood(cause.confidence))}: {sentence(prose(cause.summary))}{against}"


def _ruled_out(diagnosis: Diagnosis) -> list[str]:
    dropped = [f"{prose(item.what)}: {prose(item.why)}" for item in diagnosis.ruled_out]
    more = [f"and {len(dropped) - _MOST} more"] if len(dropped) > _MOST else []
    return _list("Ruled out", [*dropped[:_MOST], *more])


def _list(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"• {item}" for item in items]
    return [f"*{title}*", *lines] if lines else []


def _with_rest(blocks: list[JsonObject], *groups: list[str]) -> list[JsonObject]:
    return [*blocks, *(section(*lines) for lines in groups if any(lines))]


def _judged(title: str, judgement: ReducerResult) -> list[str]:
    marks = {"pass": DONE, "fail": FAILED, "unknown": WARNING}
    details = [f"• {prose(text)}" for text in judgement.details[:_MOST]]
    return [f"{marks[judgement.verdict]} {title}: {prose(judgement.summary)}", *details]
