"""Counts what somebody has to read in a thread: words, repetitions, and what belongs behind *Details*."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from bench.reading.recording import RecordedRun
from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.finding import Findings
from bot.domain.model import Model
from bot.domain.monitoring.incident import AlertIncident
from bot.domain.runs.event import ApprovalRequested
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import Pipeline
from bot.views.alert import alert_message
from bot.views.blocks import flatten
from bot.views.limits import unescape
from bot.views.phrases import DONE, likelihood, names_in
from bot.views.thread.run import run_messages
from bot.views.thread.state import result_of

_WORD = re.compile(r"[^\W_]")
_PIECE_WORDS = 8
"""As many words in the same order, in two replies, are a repetition."""
_DETAILS = {
    "call": re.compile(r"\b[a-z_]+\.[a-z_]+\("),
    "expression": re.compile(
        r"\b(?:result|results|phases|params|cause|settings|run)\.[a-z_]+|[\w)\]] (?:<=|>=|==|!=) [\w(]"
    ),
    "argument": re.compile(r"(?<![\w?&])[a-z_]+=[^\s=]"),
    "hash": re.compile(r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{7,}\b|\br[0-9a-f]{10,}\b"),
}
"""What only a maintainer reads, by kind."""
_UNDONE = re.compile(
    r"\b(?:not|no|nothing|never|none|undecided|unclear|cannot|could not|would)\b", re.IGNORECASE
)
_ACTS = re.compile(r"@|\bneeds a (?:human|person)\b|\bNext:|\[Triage again\]|\[Deploy\]", re.IGNORECASE)


class ThreadReading(Model):
    """What a thread asks of its reader, when a person must decide or, if nobody has to, at its end."""

    scenario: str
    kind: str
    """``incident`` or ``rollout``."""
    outcome: str
    words_to_decide: int | None
    """Words of the whole thread while the approval is open; none where none was asked for."""
    words_at_end: int
    """Words of the whole thread once it is over."""
    messages: int
    repeated: tuple[str, ...]
    """Evidence in two places, or eight words that two replies have."""
    details: tuple[str, ...]
    """Terms that belong behind *Details*, with their kind."""
    false_ticks: tuple[str, ...]
    """Ticks on what was not done."""
    missing: tuple[str, ...]
    """Which of cause, confidence, evidence, fix, risk and who must act is absent."""

    @property
    def words(self) -> int:
        """The words to the answer: of the longer of the two states."""
        return max(self.words_at_end, self.words_to_decide or 0)


def measure(recorded: RecordedRun) -> ThreadReading:
    """Measure the thread of a recorded run, as the present views render it."""
    found = states_of(recorded)
    states = [run for run, _ in found]
    asked, ended = (states[0] if len(states) > 1 else None), states[-1]
    texts = [thread_texts(run, recorded, now=now) for run, now in found]
    return ThreadReading(
        scenario=recorded.scenario,
        kind="incident" if ended.runbook.name == "triage" else "rollout",
        outcome=ended.outcome or "",
        words_to_decide=None if asked is None else _words(texts[0]),
        words_at_end=_words(texts[-1]),
        messages=len(texts[-1]),
        repeated=tuple(
            dict.fromkeys(
                piece for run, seen in zip(states, texts, strict=True) for piece in _repeated(run, seen)
            )
        ),
        details=tuple(
            dict.fromkeys(term for run, seen in zip(states, texts, strict=True) for term in _terms(run, seen))
        ),
        false_ticks=tuple(dict.fromkeys(line for seen in texts for line in _false_ticks(seen))),
        missing=tuple(_missing(states[0], "\n".join(texts[0]))),
    )


def thread_texts(run: Run, recorded: RecordedRun, *, now: datetime) -> list[str]:
    """Return the texts of a thread's messages, with their buttons, the alert's first."""
    names = names_in(run)
    return [
        unescape(flatten(message.blocks, names=names, buttons=True))
        for message in thread_messages(run, recorded, now=now)
    ]


def thread_messages(run: Run, recorded: RecordedRun, *, now: datetime) -> list[DesiredMessage]:
    """Return a thread's messages, the alert's first, without what is only sent to people directly."""
    alert = recorded.alert
    shown = [one for one in run_messages(run, now=now) if not one.to]
    if alert is None:
        return shown
    if run.outcome is None:
        alert = alert.model_copy(update={"status": "firing", "ends_at": None})
    incident = AlertIncident(run=run)
    first = alert_message(alert, known_service=True, now=now, incident=incident)
    return [first, *shown]


def states_of(recorded: RecordedRun) -> list[tuple[Run, datetime]]:
    """Return the run when approval was first requested, if it was, and at its end, each with the time."""
    ended = fold(recorded.run_id, recorded.events)
    states = [(ended, ended.finished_at or ended.started_at)]
    for number, event in enumerate(recorded.events, start=1):
        if isinstance(event, ApprovalRequested):
            return [(fold(recorded.run_id, recorded.events[:number]), event.at), *states]
    return states


def _words(texts: Sequence[str]) -> int:
    return sum(bool(_WORD.search(word)) for text in texts for word in _unbuttoned(text).split())


def _unbuttoned(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not re.fullmatch(r"  ?\[.*\]|\[.*\]", line))


def _repeated(run: Run, texts: Sequence[str]) -> Iterator[str]:
    whole = " ".join(" ".join(_unbuttoned(text).split()) for text in texts)
    for summary in _evidence(run):
        if whole.count(summary) > 1:
            yield summary
    replies = texts[_roots(run) :]
    counted = Counter(
        piece for text in replies for line in _unbuttoned(text).splitlines() for piece in _pieces(line)
    )
    yield from (piece for piece, count in counted.items() if count > 1)


def _roots(run: Run) -> int:
    """Return how many messages come before the replies: the run's root, and the alert's."""
    return 2 if run.origin.alert and run.origin.thread else 1


def _pieces(line: str) -> set[str]:
    words = [word for word in line.split() if _WORD.search(word)]
    return {" ".join(words[at : at + _PIECE_WORDS]) for at in range(len(words) - _PIECE_WORDS + 1)}


def _evidence(run: Run) -> set[str]:
    steps = (step for phase in run.phases.values() for step in phase.steps.values())
    results = (result_of(step) for step in steps)
    return {
        " ".join(finding.summary.rstrip(".").split())
        for result in results
        if isinstance(result, Findings)
        for finding in result.items
    }


def _terms(run: Run, texts: Sequence[str]) -> Iterator[str]:
    tags = {step.specialist for phase in run.phases.values() for step in phase.steps.values()} - {""}
    for text in texts:
        shown = _unbuttoned(text)
        for kind, pattern in _DETAILS.items():
            yield from (f"{kind}: {found.group()}" for found in pattern.finditer(shown))
        yield from (f"tag: ({tag})" for tag in tags if f"({tag})" in shown)


def _false_ticks(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        for line in text.splitlines():
            if (DONE in line or "✓" in line) and _UNDONE.search(line):
                yield line.strip()


def _missing(run: Run, text: str) -> Iterator[str]:
    """Return which of the six answers a thread lacks, of those that this run has."""
    cause = run.diagnosis.top if run.diagnosis is not None else None
    plan = next(
        (
            found
            for phase in run.runbook.phases
            if isinstance(phase, Pipeline) and (found := run.plan_for(phase.id)) is not None and found.steps
        ),
        None,
    )
    flat = " ".join(text.split())
    if run.diagnosis is not None:
        named = (
            cause.summary
            if cause is not None
            else ("No fault" if run.diagnosis.verdict == "no_fault_found" else "cause")
        )
        if named.rstrip(".").lower()[:60] not in flat.lower():
            yield "cause"
        if cause is not None and likelihood(cause.confidence).lower() not in flat.lower():
            yield "confidence"
        if cause is not None and not any(
            finding.summary.rstrip(".")[:40] in flat
            for finding in run.diagnosis.findings
            if finding.id in cause.evidence
        ):
            yield "evidence"
    if plan is not None and run.waiting_for is not None:
        if plan.summary[:60] not in flat:
            yield "fix"
        if not plan.risk or plan.risk[:40] not in flat:
            yield "risk"
    if (run.waiting_for is not None or run.outcome not in {"recovered", "done", None}) and not _ACTS.search(
        text
    ):
        yield "who must act"
