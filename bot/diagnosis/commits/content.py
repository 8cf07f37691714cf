"""How a commit's content relates to the complaints, in figures from 0 to 1."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce

from bot.diagnosis.commits.case import Commit
from bot.diagnosis.commits.diffs import Diff, parse
from bot.diagnosis.commits.fits import fit
from bot.diagnosis.commits.hazards import Hazard, hazards
from bot.diagnosis.commits.settings_changed import numbers_changed
from bot.diagnosis.commits.symptoms import Symptoms, beside, echoed, spoken
from bot.diagnosis.commits.tokens import words
from bot.domain.model import Model, Share

_WORD, _COMPOUND, _ABOUT, _NEAR, _PATH, _AROUND = 0.3, 0.5, 0.3, 0.15, 0.1, 0.05
_MANY_LINES = 8
_SYMBOL = re.compile(r"\b(?=\w*[._][A-Za-z]|[A-Z]?[a-z]+[A-Z])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\b")
_COMPOUND_LENGTH = 10
_TOLD = 0.9
_KEPT = 512


class CommitContent(Model):
    """What a commit does, beside some symptoms.

    ``hazard``: how apt its content is to break something.  ``link``: how closely the words that it brings or
    takes meet those of the complaints, and ``met`` which.  ``echo``: whether a figure, name or text of it
    shows up in logs or metrics, and ``told`` which of them complaints contain.  ``fit``: how strong the worst
    hazard is that usually leads to such complaints.
    """

    hazard: Share
    link: Share
    echo: Share
    fit: Share
    hazards: tuple[Hazard, ...]
    met: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def describe(commit: Commit, symptoms: Symptoms, *, rarity: Mapping[str, float]) -> CommitContent:
    """Compare a commit with symptoms; ``rarity`` weighs the words, see ``rarity_of``."""
    diff, found = parsed(commit), hazards_of(commit)
    link, met = _link(commit, diff, found, symptoms, rarity)
    echo, told = _echo(diff, symptoms)
    return CommitContent(
        hazard=_either([h.strength for h in found[:1]] + [h.strength / 4 for h in found[1:3]]),
        link=link,
        echo=echo,
        fit=fit(found, symptoms),
        hazards=found,
        met=met,
        told=told,
    )


@lru_cache(maxsize=_KEPT)
def parsed(commit: Commit) -> Diff:
    """Read a commit's diff, once however often it is judged."""
    return parse(commit)


@lru_cache(maxsize=_KEPT)
def hazards_of(commit: Commit) -> tuple[Hazard, ...]:
    """List what a commit does that may break something, the worst first; once however often it is judged."""
    return tuple(hazards(commit, parsed(commit)))


def rarity_of(commits: Sequence[Commit]) -> dict[str, float]:
    """Weigh words by how few commits have them: inverse document frequency (Spärck Jones 1972), at most 1."""
    counts: Counter[str] = Counter()
    for commit in commits:
        diff = parsed(commit)
        counts.update(
            {*words(" ".join([commit.message, *commit.files, *diff.removed, *diff.added, *diff.near]))}
        )
    top = math.log(1 + len(commits)) or 1.0
    return {word: math.log((1 + len(commits)) / count) / top for word, count in counts.items()}


def _echo(diff: Diff, symptoms: Symptoms) -> tuple[float, tuple[str, ...]]:
    """Return whether a metric went the way of a changed figure, or complaints hold a figure, name or text."""
    settings = numbers_changed(diff)
    if any(echoed(symptoms, setting.before, setting.after) for setting in settings):
        return 1.0, ()
    figures = {figure for setting in settings for figure in setting.shown if len(figure) > 1}
    told = sorted(figures & symptoms.figures) + spoken(
        symptoms, diff.literals_gone | diff.literals_come | _symbols(diff)
    )
    told += beside(symptoms, [(s.words, s.shown[-1], s.unit) for s in settings if s.shown])
    return (_TOLD if told else 0.0), tuple(dict.fromkeys(told))


def _symbols(diff: Diff) -> frozenset[str]:
    """List the names that are new or gone: compound ones, as others may be words of any sentence."""
    before = {name for line in diff.removed for name in _SYMBOL.findall(line)}
    after = {name for line in diff.added for name in _SYMBOL.findall(line)}
    return frozenset(before ^ after)


def _link(
    commit: Commit, diff: Diff, found: Sequence[Hazard], symptoms: Symptoms, rarity: Mapping[str, float]
) -> tuple[float, tuple[str, ...]]:
    """Combine the words in common as independent hints: ``1 - prod(1 - weight)`` (noisy or, Pearl 1988).

    What comes or goes counts most, with the names of the settings that change; then what the changed lines
    are about and what stands beside them, the more the fewer they are; least what only the names of files
    and the message hold.
    """
    lines = [*diff.removed, *diff.added]
    named = {word for hazard in found if hazard.setting is not None for word in hazard.setting.words}
    net = sorted({*diff.gone, *diff.come, *named} & symptoms.said)
    about = sorted(({*words(" ".join(lines))} & symptoms.said).difference(net))
    near = sorted(({*words(" ".join(diff.near))} & symptoms.said).difference(net, about))
    path = sorted({*words(" ".join(commit.files))} & symptoms.said)
    around = sorted(({*words(commit.message)} & symptoms.said).difference(path))
    hints = [(_COMPOUND if len(word) >= _COMPOUND_LENGTH else _WORD) * rarity.get(word, 1.0) for word in net]
    hints += [_ABOUT / (1 + len(lines) / _MANY_LINES) * rarity.get(word, 1.0) for word in about]
    hints += [_NEAR / (1 + len(diff.near) / _MANY_LINES) * rarity.get(word, 1.0) for word in near]
    hints += [_PATH * rarity.get(word, 1.0) for word in path]
    hints += [_AROUND * rarity.get(word, 1.0) for word in around]
    return _either(hints), tuple(net)


def _either(hints: Sequence[float]) -> float:
    return 1.0 - reduce(lambda left, hint: left * (1.0 - hint), hints, 1.0)
