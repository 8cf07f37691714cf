"""EXPLORE and FAN-OUT: what each specialist found, in short for the thread and in full for *Details*."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from bot.domain.diagnoses.finding import Evidence, Facts, Finding, Findings, Measurement
from bot.domain.formatting import several
from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import Explore, FanOut, Reduce
from bot.views.blocks import section, stack
from bot.views.limits import bold, code, link, prose
from bot.views.phrases import (
    ALARM,
    BUSY,
    DONE,
    SKIPPED,
    STEP_OUTCOMES,
    WARNING,
    capital,
    compared,
    in_readers_zone,
    quantity,
    sentence,
    utc,
    without_ids,
)
from bot.views.thread.leaning import leaning_lines
from bot.views.thread.state import NO_SOURCE, in_part, name_of, result_of, title_of, took

SHOWN = 3
"""How many findings a thread shows; *Details* has the others."""
_TOP = 3
_SUMMARY_CHARS = 220
_QUOTE_CHARS = 110


def is_worth_a_reply(run: Run, phase: Explore | FanOut) -> bool:
    """Return whether a phase has findings that no reducer weighs; once true, it stays true."""
    weighed = any(isinstance(one, Reduce) and phase.id in one.over for one in run.runbook.phases)
    return not weighed and bool(_found(run, phase))


def found_blocks(run: Run, phase: Explore | FanOut) -> list[JsonObject]:
    """Return the strongest findings of a phase."""
    mark = BUSY if run.phases[phase.id].outcome is None else DONE
    return [section(f"{mark} {bold(title_of(phase), 120)}", *short_findings(run, _found(run, phase)))]


def short_findings(run: Run, findings: Iterable[Finding], *, known: str = "") -> list[str]:
    """Return the strongest findings, a line each, of different sources first.

    What ``known`` says already is left out, and so is a second finding of the same kind.
    """
    ranked = sorted(findings, key=lambda finding: (-finding.strength, finding.id))
    new = [finding for finding in ranked if finding.summary.rstrip(".").lower() not in known.lower()]
    sources, kinds = set[str](), set[str]()
    first: list[Finding] = []
    rest: list[Finding] = []
    for finding in new or ranked:
        if finding.source not in sources:
            first.append(finding)
        elif finding.kind not in kinds:
            rest.append(finding)
        sources.add(finding.source)
        kinds.add(finding.kind)
    return [f"• {_short(run, finding)}" for finding in (first + rest)[:SHOWN]]


def _short(run: Run, finding: Finding) -> str:
    """Return a finding as one line: its summary, the first line of a log, and where to check it."""
    first = finding.evidence[0]
    said = without_ids(prose(finding.summary, _SUMMARY_CHARS)).rstrip(".")
    text = in_readers_zone(said, near=run.started_at)
    quote = f": {code(first.text, _QUOTE_CHARS)}" if _is_quote(finding, first) and "“" not in text else ""
    url = next((link(item.url, "view") for item in finding.evidence if item.url), "")
    return f"{text}{quote}" + (f" · {url}" if url else "")


def evidence_blocks(run: Run, phase: Explore | FanOut) -> list[JsonObject]:
    """Return every configured step in full: running, answered, late or unreadable."""
    state = run.phases[phase.id]
    asked = [step for step in state.steps.values() if step.outcome != "not_configured"]
    answered = [step for step in asked if step.outcome is not None]
    read = [step for step in answered if step.outcome == "ok"]
    title = bold(title_of(phase), 120)
    if state.outcome is None:
        count = f"{len(answered)} of {several(len(asked), 'answer')} in, still reading …"
        first = f"{BUSY} {title}: {count}"
    else:
        first_mark = DONE if len(read) == len(asked) and not in_part(read) else WARNING
        counted = f"{len(read)} of {several(len(asked), 'source')} read in {took(state)}"
        part = f", {in_part(read)} in part" if in_part(read) else ""
        first = f"{first_mark} {title}: {counted if asked else NO_SOURCE}{part}"
    over = state.outcome is not None
    leaning = leaning_lines(state)
    blocks = [section(first), *([section(*leaning)] if leaning else [])]
    return [*blocks, *stack([_paragraph(run, step, over=over) for step in asked])]


def strongest(run: Run, phase: Explore | FanOut) -> Finding | None:
    """Return the strongest finding so far."""
    return max(_found(run, phase), key=lambda finding: (finding.strength, finding.id), default=None)


def _found(run: Run, phase: Explore | FanOut) -> Sequence[Finding]:
    seen = (result_of(step) for step in run.phases[phase.id].steps.values())
    return [finding for result in seen if isinstance(result, Findings) for finding in result.items]


def finding_lines(run: Run, finding: Finding, *, queries: bool = False) -> list[str]:
    """Return one finding: what, its value beside the usual one, since when, and where to check it."""
    first = finding.evidence[0]
    summary = prose(finding.summary).rstrip(".")
    value = compared(first)
    parts = [summary]
    if value and "usually" not in summary and quantity(first.value or 0, first.unit) not in summary:
        parts.append(value)
    since = "" if finding.began_at is None else utc(finding.began_at, day=run.started_at)
    if since and since.removesuffix(" UTC") not in summary:
        parts.append(f"since {since}")
    url = next((link(item.url, f"view {finding.source}") for item in finding.evidence if item.url), "")
    lines = [f"• {', '.join(parts)}" + (f" · {url}" if url else "")]
    if _is_quote(finding, first):
        lines.append(code(first.text, 240))
    elif queries and first.query and not url:  # a link already opens this query
        lines.append(code(first.query, 400))
    return lines


def _is_quote(finding: Finding, item: Evidence) -> bool:
    """Return whether the evidence is a line worth quoting and not a repetition of the summary."""
    return finding.source == "logs" and bool(item.text) and item.text not in finding.summary


def _paragraph(run: Run, step: StepState, *, over: bool) -> str:
    name = bold(name_of(step), 120)
    if step.outcome is None:
        return f"{WARNING} {name}: no answer" if over else f"{BUSY} {name}: reading …"
    mark, words = STEP_OUTCOMES[step.outcome]
    if step.outcome == "ok":
        return "\n".join((f"{mark} {name}: {_answer(step)}", *_details(run, step)))
    if step.outcome == "not_configured":
        return f"{SKIPPED} {name}: {words}"
    because = f", because {prose(step.error)}" if step.error else ""
    loud = f"{ALARM if step.outcome == 'in_doubt' else mark} {name}: *{words}*{sentence(because)}"
    return f"{loud}\n{prose(step.hint)}" if step.hint else loud


def _answer(step: StepState) -> str:
    result = result_of(step)
    match result:
        case Findings():
            quiet = not (result.items or result.gaps or result.partial)
            return prose(result.looked_at) + (". Nothing unusual." if quiet else "")
        case Measurement():
            return prose(result.text) or quantity(result.value, result.unit)
        case Facts() | ActionResult():
            return prose(result.summary)
        case None:
            return "answered"
        case _:
            assert_never(result)


def _details(run: Run, step: StepState) -> list[str]:
    result = result_of(step)
    if not isinstance(result, Findings):
        return []
    ranked = sorted(result.items, key=lambda finding: (-finding.strength, finding.id))
    lines = [line for finding in ranked[:_TOP] for line in finding_lines(run, finding)]
    if len(ranked) > _TOP:
        lines.append(f"• and {len(ranked) - _TOP} more")
    return [*lines, *(f"{WARNING} {capital(prose(gap))}" for gap in result.gaps[:_TOP])]
