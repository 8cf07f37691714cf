"""What speaks for a commit, in figures from 0 to 1."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce

from bot.analysis.commits.case import ChangeCase, Commit, Rollout
from bot.analysis.commits.diffs import Diff, parse
from bot.analysis.commits.fits import fit
from bot.analysis.commits.hazards import Hazard, hazards
from bot.analysis.commits.settings_changed import numbers_changed
from bot.analysis.commits.symptoms import Symptoms, echoed, spoken
from bot.analysis.commits.tokens import words
from bot.domain.model import Instant, Model, Share

_FULL_S = 1800.0
_FADES_S = 7200.0
_LEAST_TIMING = 0.3
_WORD, _COMPOUND, _ABOUT, _AROUND = 0.3, 0.5, 0.2, 0.05
_MANY_LINES = 8
_SYMBOL = re.compile(r"\b(?=\w*[._][A-Za-z]|[A-Z]?[a-z]+[A-Z])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\b")
_COMPOUND_LENGTH = 10
_PLACE_FIRST, _PLACE_UPSTREAM, _PLACE_FAILING, _PLACE_ELSEWHERE = 1.0, 0.8, 0.5, 0.0
_TOLD = 0.9
_SHORTEST_SHA = 7


class Candidate(Model):
    """A commit that went live in time, with what speaks for it.

    ``hazard``: how apt its content is to break something.  ``link``: how closely the words that it brings or
    takes meet those of the complaints.  ``echo``: whether a figure, name or text of it shows up in logs or
    metrics.  ``fit``: how strong the worst hazard is that usually leads to such complaints.  ``timing``: how
    well its roll-out fits the onset; recency gains nothing within half an hour.  ``place``: whether it went
    live where the trouble began.
    """

    sha: str
    service: str
    at: Instant
    hazard: Share
    link: Share
    echo: Share
    fit: Share
    timing: Share
    place: Share
    hazards: tuple[Hazard, ...]
    met: tuple[str, ...] = ()

    @property
    def figures(self) -> Mapping[str, float]:
        """What the weights are multiplied with."""
        return {
            "hazard": self.hazard,
            "link": self.link,
            "hazard_and_link": self.hazard * self.link,
            "echo": self.echo,
            "fit": self.fit,
            "timing": self.timing,
            "place": self.place,
        }


class Excluded(Model):
    """A commit that cannot be the cause, and why."""

    sha: str
    why: str


def candidates(case: ChangeCase, symptoms: Symptoms) -> tuple[list[Candidate], list[Excluded]]:
    """Describe each commit that was live before the onset; say of the others why they cannot be it."""
    diffs = {commit.sha: parse(commit) for commit in case.commits}
    rarity = _rarity(case.commits, diffs)
    out, excluded = [], []
    for commit in sorted(case.commits, key=lambda c: (c.at, c.sha)):
        live = _live(case, commit, symptoms)
        if isinstance(live, str):
            excluded.append(Excluded(sha=commit.sha, why=live))
        else:
            out.append(_candidate(commit, diffs[commit.sha], live, symptoms, rarity))
    return out, excluded


def timing(at: datetime, onset: datetime) -> float:
    """Say how well a roll-out fits an onset: 1 for half an hour, then ``exp(-(gap - 30 min) / 2 h)``.

    It is at least 0.3, also after the onset: who asks knows that the onset may be
    later than it seems.
    """
    gap_s = (onset - at).total_seconds()
    if gap_s < 0:
        return _LEAST_TIMING
    return max(_LEAST_TIMING, min(1.0, math.exp(-(gap_s - _FULL_S) / _FADES_S)))


def _live(case: ChangeCase, commit: Commit, symptoms: Symptoms) -> Rollout | str:
    """Take the roll-out of a commit nearest to the trouble, or say why there is none."""
    rollouts = [rollout for rollout in case.rollouts if _same(rollout.sha, commit.sha)]
    if not rollouts:
        return "it was not rolled out"
    in_time = [r for r in rollouts if (r.at - symptoms.onset).total_seconds() <= symptoms.slack_s]
    if not in_time:
        return "it was rolled out after the trouble had begun"
    return max(in_time, key=lambda r: (_place(r.service, symptoms), -r.at.timestamp(), r.service))


def _same(one: str, other: str) -> bool:
    """Whether two shas are the same, one of them perhaps cut short."""
    return one == other or (
        min(len(one), len(other)) >= _SHORTEST_SHA and (one.startswith(other) or other.startswith(one))
    )


def _candidate(
    commit: Commit, diff: Diff, live: Rollout, symptoms: Symptoms, rarity: Mapping[str, float]
) -> Candidate:
    found = hazards(commit, diff)
    link, met = _link(commit, diff, found, symptoms, rarity)
    return Candidate(
        sha=commit.sha,
        service=live.service,
        at=live.at,
        hazard=_either([h.strength for h in found[:1]] + [h.strength / 4 for h in found[1:3]]),
        link=link,
        echo=_echo(diff, symptoms),
        fit=fit(found, symptoms),
        timing=timing(live.at, symptoms.onset),
        place=_place(live.service, symptoms),
        hazards=tuple(found),
        met=met,
    )


def _place(service: str, symptoms: Symptoms) -> float:
    if service == symptoms.first:
        return _PLACE_FIRST
    if service in symptoms.upstream:
        return _PLACE_UPSTREAM
    return _PLACE_FAILING if service in symptoms.failing else _PLACE_ELSEWHERE


def _echo(diff: Diff, symptoms: Symptoms) -> float:
    """Whether a metric went the way of a changed figure, or complaints hold a figure, name or text."""
    settings = numbers_changed(diff)
    if any(echoed(symptoms, setting.before, setting.after) for setting in settings):
        return 1.0
    figures = {figure for setting in settings for figure in setting.shown if len(figure) > 1}
    told = figures & symptoms.figures or spoken(
        symptoms, diff.literals_gone | diff.literals_come | _symbols(diff)
    )
    return _TOLD if told else 0.0


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
    are about, the more the fewer they are; least what only the message and the names of files hold.
    """
    lines = [*diff.removed, *diff.added]
    named = {word for hazard in found if hazard.setting is not None for word in hazard.setting.words}
    net = sorted({*diff.gone, *diff.come, *named} & symptoms.said)
    about = sorted(({*words(" ".join(lines))} & symptoms.said).difference(net))
    around = sorted({*words(" ".join([commit.message, *commit.files]))} & symptoms.said)
    hints = [(_COMPOUND if len(word) >= _COMPOUND_LENGTH else _WORD) * rarity.get(word, 1.0) for word in net]
    hints += [_ABOUT / (1 + len(lines) / _MANY_LINES) * rarity.get(word, 1.0) for word in about]
    hints += [_AROUND * rarity.get(word, 1.0) for word in around]
    return _either(hints), tuple(net)


def _either(hints: Sequence[float]) -> float:
    return 1.0 - reduce(lambda left, hint: left * (1.0 - hint), hints, 1.0)


def _rarity(commits: Sequence[Commit], diffs: Mapping[str, Diff]) -> dict[str, float]:
    """Weigh words by how few commits have them: inverse document frequency (Spärck Jones 1972), at most 1."""
    counts: Counter[str] = Counter()
    for commit in commits:
        diff = diffs[commit.sha]
        counts.update({*words(" ".join([commit.message, *commit.files, *diff.removed, *diff.added]))})
    top = math.log(1 + len(commits)) or 1.0
    return {word: math.log((1 + len(commits)) / count) / top for word, count in counts.items()}
