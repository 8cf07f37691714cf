"""How likely a diff is to break something, whatever its message claims."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher

from bot.diagnosis.commits.case import Commit
from bot.diagnosis.commits.diffs import Diff
from bot.diagnosis.commits.line_patterns import BECOMING, COMING
from bot.diagnosis.commits.settings_changed import ChangedSetting, numbers_changed, switches_changed
from bot.diagnosis.commits.tokens import COMMON, stem, words
from bot.domain.model import Model, Share


class Hazard(Model):
    """One thing that a diff does which often breaks something; ``strength`` is 0 to 1."""

    kind: str
    strength: Share
    what: str
    setting: ChangedSetting | None = None


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


_CEILINGS = _stems(
    """
    timeout deadline budget max maximum limit pool conns connections connection retry retries
    attempt attempts capacity buffer size quota replicas memory cpu concurrency worker workers
    threads batch window ttl lease expiry heap entries burst rate permits chunk depth inflight
    keepalive grace leeway skew nofile ulimit backlog linger drain
    """
)
_PACES = _stems("interval period delay backoff ttl poll cooldown debounce frequency every sleep")
_MULTIPLIERS = _stems(
    "retry retries attempt attempts concurrency worker workers parallel parallelism fanout threads"
)
_GUARDS = _stems(
    """
    batch bulk chunk retry backoff timeout deadline cache cached memoize limit limiter throttle
    semaphore breaker fallback close unlock defer cancel lock mutex synchronized transaction
    rollback recover catch except validate sanitize escape jitter dedupe idempotent idempotency offset
    flush ack index distinct pagination evict expire release dispose debounce prefetch preload singleflight
    keepalive ulimit nofile await
    """
)
_TRUST = _stems(
    "auth audience issuer scope token secret tls cert certificate permission role acl cors credentials"
    " password"
)
_LOWERED_MUCH, _LOWERED, _RAISED_MUCH = 0.5, 0.85, 3.0
_RAISED = 0.2
_FEW_LINES = 4
_A_WORD, _A_FEW = 3, 2
_TOKEN = re.compile(r"\w+")
_ALIKE, _NEARLY = 0.6, 0.85
_SQL = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+[\"`]?([a-z_][\w.]*)", re.IGNORECASE)
_DDL = re.compile(
    r"\b(DROP\s+(INDEX|TABLE|COLUMN|CONSTRAINT|VIEW)|ALTER\s+TABLE|RENAME\s+(COLUMN|TO)|LOCK\s+TABLE|FOR\s+UPDATE"
    r"|SET\s+NOT\s+NULL)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"[\"'](?:https?://|[\w-]+(?:\.[\w-]+)+:\d+|arn:|s3://|[a-z]+://)[^\"']*[\"']")
_LOOP = re.compile(r"^\s*(for|while)\b|\.(forEach|map|each)\(")
_REMOTE = re.compile(
    r"\.(Query\w*|Exec\w*|Get\w*|Put\w*|Fetch\w*|Find\w*|Send\w*|Call\w*|Do|Post|Request|Select\w*|Load\w*|Publish\w*"
    r"|execute|query|get|put|fetch|find\w*|send|post|load|publish)\("
)
_NARROW = re.compile(r"\bu?int(8|16|32)?\b|\bfloat(32)?\b|\b(small)?integer\b|\bsmallint\b", re.IGNORECASE)
_WIDE = re.compile(
    r"\b(u?int64|long|bigint|bigserial|double|float64|decimal|numeric|BigDecimal)\b", re.IGNORECASE
)
_COMPARES = re.compile(r"===?|!==?|<=|>=|(?<![-=<>])[<>](?![<>=])|&&|\|\||\b(?:and|or|not)\b|!(?=[\w(])")
_NO_NAME = re.compile(r"v?\d[\w.+-]*|#?[0-9a-fA-F]{3,8}|[\W\d_]*")
_NOTHING = re.compile(r"\b(nil|null|None|undefined|Optional)\b|\?\.")
_IF = re.compile(r"\b(if|unless|guard)\b")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_MAJOR, _MINOR, _PATCH = 0.5, 0.15, 0.05
_UNKNOWN, _SILENT, _SOME, _EDIT, _GUARDED = 0.05, 0.02, 0.1, 0.3, 0.4


def hazards(commit: Commit, diff: Diff) -> list[Hazard]:
    """List what a commit does that may break something, the worst first; it is never without any."""
    if diff.manifest and not diff.unknown:
        return [_bump(diff)]
    if diff.silent:
        return [Hazard(kind="silent", strength=_SILENT, what="only documentation, tests, styles or builds")]
    if diff.unknown:
        return [
            Hazard(kind="unknown", strength=_UNKNOWN, what=f"not known beyond its message: {commit.message}")
        ]
    found = [hazard for look in _LOOKS for hazard in look(diff)]
    if not found:
        found = [_plain(diff)]
    return sorted(found, key=lambda h: (-h.strength, h.kind, h.what))


def _plain(diff: Diff) -> Hazard:
    """Judge what shows nothing dangerous: a short edit changes what is done, a long one where it stands."""
    if diff.removed and diff.added and len(diff.removed) + len(diff.added) <= _FEW_LINES:
        if _GUARDS & {*words(" ".join([*diff.removed, *diff.added]))}:
            what = f"{diff.removed[0]} becomes {diff.added[0]}"
            return Hazard(kind="guarded", strength=_GUARDED, what=what)
        return Hazard(kind="edit", strength=_EDIT, what=f"{diff.removed[0]} becomes {diff.added[0]}")
    if diff.come or diff.gone:
        return Hazard(kind="neutral", strength=_SOME, what="new code")
    return Hazard(kind="neutral", strength=_SILENT, what="nothing but words")


def _bump(diff: Diff) -> Hazard:
    worst = _PATCH
    for old, new in zip(diff.removed, diff.added, strict=False):
        before, after = _VERSION.search(old), _VERSION.search(new)
        if before and after and before[1] != after[1]:
            worst = max(worst, _MAJOR)
        elif before and after and before[2] != after[2]:
            worst = max(worst, _MINOR)
    return Hazard(kind="dependency", strength=worst, what="other versions of dependencies")


def _numbers(diff: Diff) -> Iterator[Hazard]:
    for setting in numbers_changed(diff):
        strength = _number_strength(setting)
        if strength:
            what = f"{setting.name} from {' to '.join(setting.written)}"
            if setting.after is None:
                what = f"{setting.name} is gone"
            yield Hazard(kind="setting", strength=strength, what=what, setting=setting)


def _number_strength(setting: ChangedSetting) -> float:
    """Judge by direction: a ceiling hurts when lowered, a pace when quickened, a multiplier when raised.

    If a number's name has no meaning, only a large change counts here; a small one is an edit like others.
    """
    known = setting.words & (_CEILINGS | _PACES | _MULTIPLIERS)
    factor = setting.factor
    if factor is None:
        taken = setting.after is None and setting.before is not None
        return 0.4 if taken and known else 0.0
    if factor <= _LOWERED_MUCH:
        return 0.9 if known else 0.6
    if factor <= _LOWERED:
        return 0.5 if known else 0.0
    if factor >= _RAISED_MUCH:
        return 0.5 if setting.words & _MULTIPLIERS else _RAISED
    return _SOME if known else 0.0


def _switches(diff: Diff) -> Iterator[Hazard]:
    for name in switches_changed(diff):
        setting = ChangedSetting(name=name, before=None, after=None)
        yield Hazard(kind="switch", strength=0.5, what=f"{name} is switched over", setting=setting)


def _guards(diff: Diff) -> Iterator[Hazard]:
    lost = sorted(_guards_of(diff.gone) - _guards_of(diff.come))
    if lost:
        strength = min(0.8, 0.5 + 0.15 * len(lost))
        yield Hazard(kind="guard", strength=strength, what=f"no longer: {', '.join(_whole(lost, diff))}")
    checks = _net(_IF, diff.removed, diff.added), _net(_NOTHING, diff.removed, diff.added)
    if checks[0] > 0 and (checks[1] > 0 or not diff.added):
        yield Hazard(kind="check", strength=0.55, what="a check is gone")


def _whole(stems: Iterable[str], diff: Diff) -> list[str]:
    """Return the words as they are written; only their stems are compared."""
    written = {stem(part): part.lower() for line in diff.removed for part in _PART.findall(line)}
    return [written.get(each, each) for each in stems]


def _guards_of(counted: Counter[str]) -> set[str]:
    return {word for word in counted if word in _GUARDS}


def _net(pattern: re.Pattern[str], some: tuple[str, ...], others: tuple[str, ...]) -> int:
    return sum(len(pattern.findall(line)) for line in some) - sum(
        len(pattern.findall(line)) for line in others
    )


def _data(diff: Diff) -> Iterator[Hazard]:
    tables = _matches(_SQL, diff.added) - _matches(_SQL, diff.removed)
    if tables:
        yield Hazard(kind="table", strength=0.6, what=f"asks for {', '.join(sorted(tables))}")
    if any(_DDL.search(line) for line in diff.added):
        yield Hazard(kind="schema", strength=0.7, what="changes or locks tables")
    if _matches(_PLACE, diff.added) - _matches(_PLACE, diff.removed):
        yield Hazard(kind="place", strength=0.5, what="calls another address")


def _matches(pattern: re.Pattern[str], lines: tuple[str, ...]) -> set[str]:
    return {match.group(match.lastindex or 0) for line in lines for match in pattern.finditer(line)}


def _names(diff: Diff) -> Iterator[Hazard]:
    """Find what is called otherwise now: the same line with another quoted text."""
    for old in diff.removed:
        for new in diff.added:
            if _renames(old, new, diff):
                trust = bool(_TRUST & (set(diff.gone) | set(diff.come)))
                yield Hazard(kind="name", strength=0.65 if trust else 0.6, what=f"{old} becomes {new}")
                return
    few = len(diff.removed) + len(diff.added) <= _FEW_LINES
    touched = {*words(" ".join([*diff.removed, *diff.added]))} if few else {*diff.gone, *diff.come}
    if _TRUST & touched:
        yield Hazard(kind="trust", strength=0.5 if few else 0.3, what="who is let in changes")


def _renames(old: str, new: str, diff: Diff) -> bool:
    gone = [text for text in diff.literals_gone if text in old]
    come = [text for text in diff.literals_come if text in new]
    named = any(not _NO_NAME.fullmatch(text) for text in [*gone, *come])
    return bool(gone and come) and named and _alike(old, new) >= _ALIKE


def _alike(old: str, new: str) -> float:
    return SequenceMatcher(a=old, b=new, autojunk=False).ratio()


def _logic(diff: Diff) -> Iterator[Hazard]:
    """Find a condition that is asked otherwise: nearly the same line with other comparisons."""
    for old in diff.removed:
        for new in diff.added:
            before, after = Counter(_COMPARES.findall(old)), Counter(_COMPARES.findall(new))
            if before != after and _alike(old, new) >= _NEARLY:
                yield Hazard(kind="logic", strength=0.5, what=f"{old} becomes {new}")
                return


def _dropped(diff: Diff) -> Iterator[Hazard]:
    """Find a line that stays with less in it: an argument, a condition or a wrapper is gone."""
    for old in diff.removed:
        for new in diff.added:
            before, after = Counter(_TOKEN.findall(old)), Counter(_TOKEN.findall(new))
            less, more = before - after, after - before
            named = any(len(token) >= _A_WORD and token.lower() not in COMMON for token in less)
            shorter = named and after.total() >= _A_FEW and less.total() > _A_FEW * more.total()
            if shorter and _alike(old, new) >= _ALIKE:
                yield Hazard(kind="dropped", strength=0.5, what=f"{old} becomes {new}")
                return


def _subjects(diff: Diff) -> Iterator[Hazard]:
    for kind, pattern, strength, what in BECOMING:
        if any(map(pattern.search, diff.removed)) and any(map(pattern.search, diff.added)):
            yield Hazard(kind=kind, strength=strength, what=what)


def _deletions(diff: Diff) -> Iterator[Hazard]:
    if diff.removed and not diff.added:
        yield Hazard(kind="deletion", strength=0.35, what=f"takes out {len(diff.removed)} lines, brings none")


def _lines(diff: Diff) -> Iterator[Hazard]:
    for kind, pattern, strength, what in COMING:
        if _net(pattern, diff.added, diff.removed) > 0:
            yield Hazard(kind=kind, strength=strength, what=what)
    if _net(_NARROW, diff.added, diff.removed) > 0 and _net(_WIDE, diff.removed, diff.added) > 0:
        yield Hazard(kind="narrow", strength=0.5, what="keeps numbers in less room")
    loops = _net(_LOOP, diff.added, diff.removed) >= 0 and any(_LOOP.search(line) for line in diff.added)
    if loops and _net(_REMOTE, diff.added, ()) > 0:
        yield Hazard(kind="loop", strength=0.55, what="calls something in a loop")


_LOOKS: tuple[Callable[[Diff], Iterator[Hazard]], ...] = (
    _numbers,
    _switches,
    _guards,
    _data,
    _names,
    _logic,
    _dropped,
    _subjects,
    _deletions,
    _lines,
)
