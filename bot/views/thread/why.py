"""The reasons of a diagnosis, for *Details*, and the modal behind *What else?*: the other causes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.diagnoses.diagnosis import Cause, Diagnosis, OriginCandidate, Source, SourceStatus
from bot.domain.formatting import several
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.views import ids
from bot.views.blocks import section
from bot.views.limits import bold, prose
from bot.views.modals import modal
from bot.views.phrases import (
    capital,
    likelihood,
    sentence,
)
from bot.views.thread.diagnosis import TIE, cause_line, unread_line
from bot.views.thread.evidence import finding_lines

_MOST_BLOCKS = 90
_MOST_REASONS = 12
_MOST_BESIDE = 3
_MOST_PLACES = 5


def reasons_blocks(run: Run, diagnosis: Diagnosis) -> list[JsonObject]:
    """Return the evidence for and against the first cause, what was ruled out, and what was not read."""
    top = diagnosis.causes[0] if diagnosis.causes else None
    blocks = [section(cause_line(top) if top else bold(diagnosis.summary, 600))]
    if top is not None and diagnosis.top is None:
        blocks.append(section(prose(diagnosis.summary, 600)))
    if top is not None:
        blocks.append(section("*Evidence for*"))
        blocks += [section(*lines) for lines in _evidence(run, diagnosis, top)]
        blocks += _listed("Evidence against", top.against, none="None in the sources that were read.")
    blocks += _listed("Ruled out", (f"{item.what}: {item.why}" for item in diagnosis.ruled_out))
    return [*blocks, *_sources(diagnosis)]


def what_else_modal(run: Run, diagnosis: Diagnosis) -> JsonObject:
    """Return every other cause, ties marked, with the evidence for and against each."""
    blocks: list[JsonObject] = []
    for number, causes in _places(diagnosis.causes):
        tied = len(causes) > 1
        for cause in causes:
            if cause is not diagnosis.causes[0] or tied:
                blocks += _candidate(run, diagnosis, cause, place=f"{number}{' (tie)' if tied else ''}")
    if not blocks:
        blocks.append(section("No other cause explains what was found."))
    blocks += _listed(
        "Where it may have started", (_place(place) for place in diagnosis.places[:_MOST_PLACES])
    )
    blocks += _listed("Ruled out", (f"{item.what}: {item.why}" for item in diagnosis.ruled_out))
    if unread := unread_line(diagnosis):
        blocks.append(section(unread))
    return _shown("What else?", blocks)


def _place(place: OriginCandidate) -> str:
    findings = several(len(place.evidence), "finding")
    return f"`{place.service}`: {likelihood(place.confidence)}, based on {findings}"


def _candidate(run: Run, diagnosis: Diagnosis, cause: Cause, *, place: str) -> list[JsonObject]:
    lines = [f"*{place}* · {capital(likelihood(cause.confidence))}: {sentence(prose(cause.summary, 500))}"]
    for found in _evidence(run, diagnosis, cause)[:_MOST_BESIDE]:
        lines += found
    if len(cause.evidence) > _MOST_BESIDE:
        lines.append(f"• and {len(cause.evidence) - _MOST_BESIDE} more")
    lines += [f"Against it: {sentence(prose(text))}" for text in cause.against[:_MOST_BESIDE]]
    return [section(*lines)]


def _places(causes: Sequence[Cause]) -> list[tuple[int, list[Cause]]]:
    """Return causes by rank: causes too close to separate share one, as in sports."""
    places: list[tuple[int, list[Cause]]] = []
    for number, cause in enumerate(causes, start=1):
        if places and places[-1][1][0].confidence - cause.confidence <= TIE:
            places[-1][1].append(cause)
        else:
            places.append((number, [cause]))
    return places


def _evidence(run: Run, diagnosis: Diagnosis, cause: Cause) -> list[list[str]]:
    """Return each finding that supports a cause, with its query or its link."""
    by_id = {finding.id: finding for finding in diagnosis.findings}
    found = [by_id[name] for name in cause.evidence if name in by_id]
    return [finding_lines(run, finding, queries=True) for finding in found[:_MOST_REASONS]]


def _sources(diagnosis: Diagnosis) -> list[JsonObject]:
    read = [source for source in diagnosis.sources if source.status is SourceStatus.OK]
    blocks = _listed("Sources read", (_source(source) for source in read))
    if unread := unread_line(diagnosis):
        blocks.append(section(unread))
    return blocks


def _source(source: Source) -> str:
    return f"{source.name}: {source.why}" if source.why else source.name


def _listed(title: str, items: Iterable[str], *, none: str = "") -> list[JsonObject]:
    lines = [f"• {sentence(prose(item))}" for item in items]
    more = [f"• and {len(lines) - _MOST_REASONS} more"] if len(lines) > _MOST_REASONS else []
    if not lines:
        return [section(f"*{title}*", none)] if none else []
    return [section(f"*{title}*", *lines[:_MOST_REASONS], *more)]


def _shown(title: str, blocks: list[JsonObject]) -> JsonObject:
    return modal(ids.REASONS, title=title, blocks=blocks[:_MOST_BLOCKS], close="Close")
