"""What changes do, compared with the complaints, by the figures with which a commit is blamed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import BaseModel, Field, ValidationError

from bot.diagnosis.commits.case import AlertRecord, ChangeCase, Commit, CommitRollout
from bot.diagnosis.commits.content import hazards_of, parsed, rarity_of
from bot.diagnosis.commits.features import CommitCandidate, candidate
from bot.diagnosis.commits.outside import outside
from bot.diagnosis.commits.ranking import RankedCommit, choose, stands_out
from bot.diagnosis.commits.symptoms import Symptoms
from bot.diagnosis.commits.weights import shipped
from bot.diagnosis.commits.wording import does, quoted
from bot.diagnosis.ranking.situation import Situation
from bot.diagnosis.ranking.symptoms import symptoms_of
from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.formatting import listed
from bot.domain.model import Model, Share

LIKELY = 0.5
"""From this chance on, a change is more likely to blame than not by what it does."""

_SHORT = 7
_MOST_MESSAGE = 60
_NEAR_THE_TOP = 2


class _CommitRecord(BaseModel):
    sha: str = Field(min_length=1)
    message: str = ""
    files: tuple[str, ...] = ()
    diff: str = ""


class _ReleaseContent(BaseModel):
    commits: tuple[_CommitRecord, ...]
    commits_removed: int = 0
    commits_complete: bool = False


class Inspection(Model):
    """What a change does beside the symptoms of its service.

    ``chance`` is the probability that it is to blame, as its likeliest commit is, rather than another change
    of the service or none.  ``commit`` is that commit if it stands out, ``does`` what it does and ``says``
    the part of the log lines that shows it.  ``speaks`` is how far lines or metrics contain what it changed.
    ``worst`` is how likely the worst of all its commits is to break something; 1 if not all are known.
    """

    chance: Share = 0
    commit: str = ""
    message: str = ""
    does: str = ""
    says: str = ""
    speaks: Share = 0
    worst: Share = 1

    @property
    def is_named(self) -> bool:
        """Whether a commit stands out that is more likely to blame than not."""
        return bool(self.commit) and self.chance >= LIKELY

    @property
    def words(self) -> str:
        """Return the words that follow *it was released*."""
        named = f" (“{self.message}”)" if self.message else ""
        excerpt = f"; the log lines contain “{self.says}”" if self.says else ""
        return f" with commit {self.commit}{named}, which {self.does}{excerpt}"


def inspect(scene: Situation, changes: Iterable[Finding]) -> Mapping[str, Inspection]:
    """Inspect the changes that may be to blame, by the ids of their findings; without commits, there is none.

    Those of one service are alternatives, of two both may be to blame.
    """
    of: defaultdict[str, list[Finding]] = defaultdict(list)
    for change in changes:
        of[change.service].append(change)
    return {key: found for own in of.values() for key, found in _alternatives(scene, own).items()}


def _alternatives(scene: Situation, changes: Sequence[Finding]) -> Mapping[str, Inspection]:
    commits = {change.id: _commits(change) for change in changes}
    if not any(commits.values()):
        return {}
    symptoms = symptoms_of(scene, changes[0].service)
    rarity = rarity_of([commit for found in commits.values() for commit in found])
    possible = {
        change.id: [
            candidate(commit, _live(change, commit, symptoms=symptoms), symptoms, rarity=rarity)
            for commit in commits[change.id]
        ]
        for change in changes
    }
    signs = outside(ChangeCase(alert=AlertRecord(service=symptoms.first, fired_at=scene.now)), symptoms)
    ranked, none = choose([one for found in possible.values() for one in found], signs, weights=shipped())
    of = {change.id: _of(ranked, possible[change.id]) for change in changes if commits[change.id]}
    # However many commits a release has, it is as likely as its likeliest.
    all_of_it = none + sum(own[0].probability for own in of.values())
    return {
        change.id: _inspection(
            change,
            commits[change.id],
            of[change.id],
            symptoms,
            chance=of[change.id][0].probability / all_of_it,
        )
        for change in changes
        if change.id in of
    }


def innocent(scene: Situation, change: Finding) -> str:
    """Return why a release's content rules it out; empty if it does not, or if not all of it is known."""
    brought = _read(change)
    if brought is None or not brought.commits_complete or brought.commits_removed:
        return ""
    commits = _commits(change)
    if not commits:
        return f"it contains nothing that touches {change.service}"
    idle = [commit for commit in commits if parsed(commit).silent]
    if len(idle) == len(commits):
        return "it contains only documentation, tests, styles or builds"
    owners = [_owner(scene, change.service, commit) for commit in commits if commit not in idle]
    if all(owners):
        return f"it contains only changes to {listed(sorted(set(owners)), most=4)}, from the same repository"
    return ""


def without_commits(finding: Finding) -> Finding:
    """Return a finding without a release's commits, an input of a diagnosis that is too long to pass on."""
    if "commits" not in finding.data:
        return finding
    return finding.model_copy(
        update={"data": {name: value for name, value in finding.data.items() if name != "commits"}}
    )


def _read(change: Finding) -> _ReleaseContent | None:
    if change.kind is not FindingKind.CHANGE_DEPLOY or "commits" not in change.data:
        return None
    try:
        return _ReleaseContent.model_validate(change.data)
    except ValidationError:
        return None  # a feed may have a field of that name


def _commits(change: Finding) -> tuple[Commit, ...]:
    """List what a change did as commits: those of a release, or a setting as the two lines of its diff."""
    if change.began_at is None:
        return ()
    if change.kind in {FindingKind.CHANGE_CONFIG, FindingKind.CHANGE_FLAG} and change.component:
        before, after = change.data.get("before"), change.data.get("after")
        diff = f"-{change.component}: {before}\n+{change.component}: {after}\n"
        return (Commit(sha=change.id, at=change.began_at, diff=diff),)
    brought = _read(change)
    return tuple(
        Commit(sha=told.sha, at=change.began_at, message=told.message, files=told.files, diff=told.diff)
        for told in (brought.commits if brought else ())
    )


def _live(change: Finding, commit: Commit, *, symptoms: Symptoms) -> CommitRollout:
    return CommitRollout(sha=commit.sha, service=change.service, at=change.began_at or symptoms.onset)


def _of(ranked: Iterable[RankedCommit], candidates: Sequence[CommitCandidate]) -> list[RankedCommit]:
    return [one for one in ranked if any(one.candidate is each for each in candidates)]


def _inspection(
    change: Finding,
    commits: Sequence[Commit],
    ranked: Sequence[RankedCommit],
    symptoms: Symptoms,
    *,
    chance: float,
) -> Inspection:
    first = ranked[0].candidate
    brought = _read(change)
    known = brought is not None and brought.commits_complete and not brought.commits_removed
    return Inspection(
        chance=chance,
        commit=first.sha[:_SHORT] if brought and stands_out(ranked, at_least=shipped().threshold) else "",
        message=next(" ".join(c.message.split())[:_MOST_MESSAGE] for c in commits if c.sha == first.sha),
        does=does(first.hazards[0]),
        says=quoted(first, symptoms),
        speaks=first.echo,
        worst=max(hazards_of(commit)[0].strength for commit in commits) if known else 1.0,
    )


def _owner(scene: Situation, service: str, commit: Commit) -> str:
    """Name the other service in whose folders all files of a commit lie; empty if there is none.

    Only services count that have the same repository: elsewhere a folder may be called like anything.
    """
    repository = _repository(scene.catalogue.get(service))
    others = [
        name
        for name in scene.catalogue.names
        if name != service and repository and _repository(scene.catalogue.get(name)) == repository
    ]
    folders = [file.split("/")[:-1][:_NEAR_THE_TOP] for file in commit.files]
    if not folders or any(service in file.split("/") for file in commit.files):
        return ""
    owners = {next((name for name in others if name in near), "") for near in folders}
    return owners.pop() if len(owners) == 1 else ""


def _repository(entry: Service) -> str:
    git, hosted = entry.sources.get("git", {}), entry.sources.get("github", {})
    return git.get("url") or git.get("path") or hosted.get("repository", "")
