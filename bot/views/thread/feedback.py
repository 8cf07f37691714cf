"""What people say of a diagnosis, the buttons to say it with, and how often it was right."""

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
_SAYS: Mapping[Opinion, str] = {"right": "right", "wrong": "wrong", "other": "something else"}
_VERDICTS = {"no_fault_found": "no fault found", "unclear": "unclear"}
_ORDER = ("very likely", "likely", "possible", "unlikely", "no fault found", "unclear")


def feedback_blocks(run_id: str, feedback: Sequence[Feedback]) -> list[JsonObject]:
    """Build the buttons below a diagnosis, and what was said of it so far."""
    row = actions(
        button("Why?", action_id=ids.WHY, value=run_id),
        button("What else?", action_id=ids.WHAT_ELSE, value=run_id),
        button("Right", action_id=ids.SAY_RIGHT, value=run_id),
        button("Wrong", action_id=ids.SAY_WRONG, value=run_id),
        button("Other …", action_id=ids.SAY_OTHER, value=run_id),
    )
    told = opinions_line(feedback)
    return [row, context(told)] if told else [row]


def opinions_line(feedback: Sequence[Feedback]) -> str:
    """Count who says what: ``2 say right, 1 says something else (saturation of payments)``."""
    told = []
    for opinion, words in _SAYS.items():
        given = [one for one in feedback if one.opinion == opinion]
        if given:
            instead = list(dict.fromkeys(text for one in given if (text := _instead(one))))
            what = f" ({prose(', '.join(instead), 300)})" if instead else ""
            told.append(f"{len(given)} {'says' if len(given) == 1 else 'say'} {words}{what}")
    return ", ".join(told)


def _instead(one: Feedback) -> str:
    kind = human(one.cause.value).lower() if one.cause is not None else ""
    named = f"{kind or 'something'} in {one.service}" if one.service else kind
    return ": ".join(part for part in (named, clip(one.text, 120)) if part)


def other_modal(services: Sequence[str], *, private_metadata: str) -> JsonObject:
    """Ask what it was instead; everything may be left empty."""
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
            *([field(ids.SERVICE_BLOCK, "Where it was", service, optional=True)] if names else []),
            field(ids.KIND_BLOCK, "What kind of trouble", kinds, optional=True),
            field(ids.TEXT_BLOCK, "In your words", text, optional=True),
        ],
    )


def told_instead(values: Mapping[str, Any]) -> tuple[str, CauseKind | None, str]:
    """Read a submission's ``view.state.values``: the service, the kind of cause and the text, if given."""
    service = _selected(values.get(ids.SERVICE_BLOCK, {}).get(ids.SERVICE_INPUT))
    kind = _selected(values[ids.KIND_BLOCK][ids.KIND_INPUT])
    text = values[ids.TEXT_BLOCK][ids.TEXT_INPUT].get("value") or ""
    return service, CauseKind(kind) if kind else None, str(text)[:MOST_CHARS]


def _selected(answer: Mapping[str, Any] | None) -> str:
    chosen = (answer or {}).get("selected_option")
    return str(chosen["value"]) if chosen else ""


def accuracy_lines(rated: Sequence[RatedDiagnosis], *, period: str) -> list[str]:
    """Say how often diagnoses of a ``period`` were right: as a whole, and by how sure they were."""
    whole = score(rated)
    if not rated:
        return [
            f"Nobody has said of a diagnosis of {period} whether it was right.",
            "*Right*, *Wrong* and *Other …* are below each one.",
        ]
    if not whole.judged:
        what = several(len(rated), "diagnosis", "diagnoses")
        return [f"There is no figure of {period}: people disagree about {what}, and spoke of no other."]
    lines = [f"*{_share(whole)} of {period} were right*, by the word of those who were there."]
    lines += [f"• {word}: {_share(score(group))}" for word, group in _by_word(rated) if score(group).judged]
    disputed = sum(one.was_right is None for one in rated)
    if disputed:
        what = several(disputed, "diagnosis", "diagnoses")
        lines.append(f"Not counted: {what} that people disagree about.")
    wrong = [one.said.run_id for one in rated if one.was_right is False]
    if wrong:
        shown = [code(run_id, 80) for run_id in wrong[-_MOST_WRONG:]]
        more = [f"{len(wrong) - len(shown)} more"] if len(wrong) > len(shown) else []
        lines.append(f"Wrong: {listed([*shown, *more])}.")
    return lines


def accuracy_message(rated: Sequence[RatedDiagnosis], *, week: str) -> DesiredMessage:
    """Say how often the diagnoses of a week were right."""
    return message("accuracy", [section(*accuracy_lines(rated, period=f"week {week}"))], names={})


def _by_word(rated: Sequence[RatedDiagnosis]) -> list[tuple[str, list[RatedDiagnosis]]]:
    """Sort by what was said: whoever says *very likely* should be right nearly always."""
    groups: dict[str, list[RatedDiagnosis]] = {}
    for one in rated:
        confidence = one.said.confidence
        word = _VERDICTS[one.said.verdict] if confidence is None else confidence_word(confidence)
        groups.setdefault(word, []).append(one)
    return [(word, groups[word]) for word in _ORDER if word in groups]


def _share(of: AccuracyScore) -> str:
    low, high = (percent(edge) for edge in of.interval)
    sure = f"95 % sure of {low.removesuffix(' %')} to {high}"
    return f"{percent(of.share)} ({of.right} of {of.judged}; {sure})"
