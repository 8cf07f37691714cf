"""Ratings of a diagnosis: the buttons, the counts so far, and the accuracy over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.feedback import MOST_CHARS, AccuracyScore, Feedback, Opinion, RatedDiagnosis, score
from bot.domain.formatting import listed, percent, several
from bot.domain.model import JsonObject
from bot.views import ids
from bot.views.blocks import actions, button, context, message, section
from bot.views.limits import OPTION_VALUE_CHARS, SELECT_OPTIONS, clip, code, prose
from bot.views.modals import field, modal, option
from bot.views.phrases import (
    confidence_word,
    human,
)

_TITLE = "What was it?"
_MOST_WRONG = 3
_RATINGS: Mapping[Opinion, str] = {
    "right": "confirmed this",
    "wrong": "marked this as wrong",
    "other": "named another cause",
}
_VERDICTS = {"no_fault_found": "no fault found", "unclear": "unclear"}
_ORDER = ("very likely", "likely", "possible", "unlikely", "no fault found", "unclear")


def feedback_blocks(run_id: str, feedback: Sequence[Feedback]) -> list[JsonObject]:
    """Return the buttons below a diagnosis, and its ratings so far."""
    row = actions(
        button("Details", action_id=ids.DETAILS, value=run_id),
        button("What else?", action_id=ids.WHAT_ELSE, value=run_id),
        button("Right", action_id=ids.SAY_RIGHT, value=run_id),
        button("Wrong", action_id=ids.SAY_WRONG, value=run_id),
        button("Other …", action_id=ids.SAY_OTHER, value=run_id),
    )
    ratings = opinions_line(feedback)
    return [row, context(ratings)] if ratings else [row]


def opinions_line(feedback: Sequence[Feedback]) -> str:
    """Return the counts: ``2 people confirmed this, 1 person named another cause (saturation)``."""
    counts = []
    for opinion, words in _RATINGS.items():
        given = [one for one in feedback if one.opinion == opinion]
        if given:
            instead = list(dict.fromkeys(text for one in given if (text := _instead(one))))
            what = f" ({prose(', '.join(instead), 300)})" if instead else ""
            counts.append(f"{several(len(given), 'person', 'people')} {words}{what}")
    return ", ".join(counts)


def _instead(one: Feedback) -> str:
    kind = human(one.cause.value).lower() if one.cause is not None else ""
    named = f"{kind or 'something'} in {one.service}" if one.service else kind
    return ": ".join(part for part in (named, clip(one.text, 120)) if part)


def other_modal(services: Sequence[str], *, private_metadata: str) -> JsonObject:
    """Return the modal that asks for the real cause; every field is optional."""
    names = [name for name in sorted(services) if 0 < len(name) <= OPTION_VALUE_CHARS][:SELECT_OPTIONS]
    kinds: JsonObject = {
        "type": "static_select",
        "action_id": ids.KIND_INPUT,
        "options": [option(kind.value, human(kind.value)) for kind in CauseKind],
    }
    service: JsonObject = {
        "type": "static_select",
        "action_id": ids.SERVICE_INPUT,
        "options": [option(name, name) for name in names],
    }
    text: JsonObject = {
        "type": "plain_text_input",
        "action_id": ids.TEXT_INPUT,
        "multiline": True,
        "max_length": MOST_CHARS,
    }
    return modal(
        ids.FEEDBACK,
        title=_TITLE,
        submit="Send",
        private_metadata=private_metadata,
        blocks=[
            *([field(ids.SERVICE_BLOCK, "Service", service, optional=True)] if names else []),
            field(ids.KIND_BLOCK, "Kind of problem", kinds, optional=True),
            field(ids.TEXT_BLOCK, "In your own words", text, optional=True),
        ],
    )


def named_instead(values: Mapping[str, Any]) -> tuple[str, CauseKind | None, str]:
    """Return the service, kind of cause and text of a submission's ``view.state.values``, if given."""
    service = _selected(values.get(ids.SERVICE_BLOCK, {}).get(ids.SERVICE_INPUT))
    kind = _selected(values[ids.KIND_BLOCK][ids.KIND_INPUT])
    text = values[ids.TEXT_BLOCK][ids.TEXT_INPUT].get("value") or ""
    return service, CauseKind(kind) if kind else None, str(text)[:MOST_CHARS]


def _selected(answer: Mapping[str, Any] | None) -> str:
    chosen = (answer or {}).get("selected_option")
    return str(chosen["value"]) if chosen else ""


def accuracy_lines(rated: Sequence[RatedDiagnosis], *, period: str) -> list[str]:
    """Return how often diagnoses of a ``period`` were right: overall, and by their confidence."""
    whole = score(rated)
    if not rated:
        return [
            f"No diagnoses from {period} have been rated.",
            "Rate one with *Right*, *Wrong* or *Other …* below it.",
        ]
    if not whole.judged:
        what = several(len(rated), "diagnosis", "diagnoses")
        return [f"No accuracy for {period}: the ratings of {what} conflict, and no others were rated."]
    lines = [f"*{_share(whole)} of the diagnoses from {period} were right*, as rated by responders."]
    lines += [f"• {word}: {_share(score(group))}" for word, group in _by_word(rated) if score(group).judged]
    disputed = sum(one.was_right is None for one in rated)
    if disputed:
        what = several(disputed, "diagnosis", "diagnoses")
        lines.append(f"Not counted: {what} with conflicting ratings.")
    wrong = [one.said.run_id for one in rated if one.was_right is False]
    if wrong:
        shown = [code(run_id, 80) for run_id in wrong[-_MOST_WRONG:]]
        more = [f"{len(wrong) - len(shown)} more"] if len(wrong) > len(shown) else []
        lines.append(f"Wrong: {listed([*shown, *more])}.")
    return lines


def accuracy_message(rated: Sequence[RatedDiagnosis], *, week: str) -> DesiredMessage:
    """Return the accuracy of the diagnoses of a week."""
    return message("accuracy", [section(*accuracy_lines(rated, period=f"week {week}"))], names={})


def _by_word(rated: Sequence[RatedDiagnosis]) -> list[tuple[str, list[RatedDiagnosis]]]:
    """Return diagnoses grouped by stated confidence: *very likely* ones should nearly always be right."""
    groups: dict[str, list[RatedDiagnosis]] = {}
    for one in rated:
        confidence = one.said.confidence
        word = _VERDICTS[one.said.verdict] if confidence is None else confidence_word(confidence)
        groups.setdefault(word, []).append(one)
    return [(word, groups[word]) for word in _ORDER if word in groups]


def _share(of: AccuracyScore) -> str:
    low, high = (percent(edge) for edge in of.interval)
    interval = f"95 % CI {low.removesuffix(' %')} to {high}"
    return f"{percent(of.share)} ({of.right} of {of.judged}; {interval})"
