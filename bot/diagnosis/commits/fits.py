"""Which complaints a hazard usually leads to: a dropped lock to races, a lower ceiling to exhaustion."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.diagnosis.commits.hazards import Hazard
from bot.diagnosis.commits.symptoms import Symptoms

_MEMORY = r"oom|out of memory|memory|heap|gc pause|evict"
_SLOW = (
    r"time[d]?[ _-]?out|deadline|slow|latency|duration|overload|too many|throttl|exceed|busy|shed"
    r"|blocked|p9\d|wait|lag"
)
_FULL = (
    r"exhaust|pool|queue|full|busy|reject|wait|limit|saturat|too many|throttl|429|capacity"
    r"|cannot assign|too large|413|above the max"
)
_RACE = r"concurrent|race|deadlock|lock|conflict|duplicate|inconsisten|stale"
_NOTHING = r"nil|null|none|undefined|pointer|attributeerror|keyerror|typeerror|panic|segfault|index out of"
_REFUSED = (
    r"401|403|unauthori|forbidden|denied|token|credential|certificate|tls|handshake"
    r"|signature|audience|protocol version"
)
_MISSING = (
    r"missing|unknown|not found|does(?:n't| not) exist|no such|undefined|keyerror|no mapping|parse|unexpected"
    r"|invalid|schema|deserial|decode|not set|required|refused|unreachable|404"
)
_EXCEPTION = r"\w(?:error|exception)\b|panic|assert|stack ?trace|division"
_RANGE = r"range|overflow|truncat|negative|precision|numberformat"
_WRONG = (
    r"mismatch|wrong|incorrect|must (?:be|not)|constraint|violat|overlap|negative|inconsisten|duplicate"
    r"|another \w+|out of order|not (?:yet )?valid|not match|unsupported"
)
_NETWORK = r"unreachable|refused|timed? ?out|i/o timeout|no route|dial|connect|forbidden|blocked"
_AGAIN = r"already running|overlap|concurren|twice|duplicate|missed|late\b|instances"
_FOREIGN = (
    r"is not a function|no such method|nosuchmethod|unresolved|incompatible|protocol|import|symbol"
    r"|attributeerror|linkage"
)

_BY_KIND: dict[str, str] = {
    "grows": rf"{_MEMORY}|{_FULL}",
    "guard": rf"{_SLOW}|{_FULL}|{_RACE}|{_NOTHING}|leak|lost|twice|unhandled|uncaught",
    "guarded": rf"{_SLOW}|{_FULL}|{_RACE}|retr|attempt",
    "check": rf"{_NOTHING}|{_MISSING}|{_RANGE}|{_WRONG}",
    "loop": rf"{_SLOW}|{_FULL}",
    "waits": rf"{_SLOW}|{_RACE}|{_FULL}",
    "pattern": _SLOW,
    "schema": rf"{_SLOW}|{_RACE}|{_MISSING}",
    "table": _MISSING,
    "place": rf"{_MISSING}|{_SLOW}|{_REFUSED}",
    "name": rf"{_MISSING}|{_NOTHING}|{_REFUSED}|incorrect|mismatch|unsupported",
    "trust": _REFUSED,
    "strict": rf"{_MISSING}|{_REFUSED}|reject",
    "narrow": _RANGE,
    "dependency": _FOREIGN,
    "verbose": r"disk|space|log|quota|slow|i/o",
    "edit": rf"{_EXCEPTION}|{_WRONG}",
    "dropped": rf"{_EXCEPTION}|{_MISSING}|{_NOTHING}|{_RACE}|{_RANGE}|{_WRONG}",
    "logic": rf"{_EXCEPTION}|{_REFUSED}|{_WRONG}",
    "network": _NETWORK,
    "schedule": _AGAIN,
    "query": rf"{_SLOW}|query|statement|constraint|temporary|scan|rows",
    "ends": r"panic|exit|crash|restart|fatal|terminated",
}
_CEILING = (
    r"pool|conn|keep_?alive|worker|thread|concurren|capacity|replica|buffer|queue|batch|cpu|limit|rate|quota"
    r"|per_?second"
)
_BY_WORD: tuple[tuple[str, str], ...] = (
    (r"memory|heap|cache", _MEMORY),
    (r"timeout|deadline|budget|probe|threshold|period|interval", rf"{_SLOW}|cancel|restart|rebalance|probe"),
    (_CEILING, rf"{_FULL}|{_SLOW}"),
    (r"retr|attempt|backoff", rf"retr|attempt|{_FULL}|{_SLOW}|conflict"),
    (r"grace|drain|terminat|shutdown|linger", r"killed|137|sigterm|drain|abort|closed|reset|graceful"),
    (r"leeway|skew", r"not yet|expired|in the future|iat\b|nbf\b|token|clock"),
    (r"nofile|ulimit|descriptor", r"open files|descriptor|emfile"),
    (r"ttl|expir|lease", rf"expir|stale|{_FULL}|{_SLOW}"),
)


def fit(found: Sequence[Hazard], symptoms: Symptoms) -> float:
    """Return the strength of the worst hazard that usually leads to such complaints; 0 if none does."""
    return max((hazard.strength for hazard in found if _leads_to(hazard, symptoms)), default=0.0)


def _leads_to(hazard: Hazard, symptoms: Symptoms) -> bool:
    if hazard.setting is None:
        pattern = _BY_KIND.get(hazard.kind, "")
        return bool(pattern) and re.search(pattern, symptoms.exact, re.IGNORECASE) is not None
    name = hazard.setting.name
    return any(
        re.search(word, name, re.IGNORECASE) and re.search(pattern, symptoms.exact, re.IGNORECASE)
        for word, pattern in _BY_WORD
    )
