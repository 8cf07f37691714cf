"""What lines of code do by their words alone, in whatever language."""

from __future__ import annotations

import re

_WAITS = re.compile(
    r"\b(sleep|Sleep|Thread\.sleep|setTimeout|\.wait)\s*\(|\.(Lock|lock|acquire)\(\)|\bsynchronized\b"
)
_GROWS = re.compile(
    r"\bgo func\b|=\s*append\(\s*\w+\.\w+|^\s*var \w+\s*=\s*(make\(map|map\[)|\bnew (Hash)?Map\(\)"
    r"|maxsize=None"
)
_VERBOSE = re.compile(
    r"\b(log_?level|level|verbosity|debug)\b\W{1,4}(debug|trace|true|all)\b|setLevel\(\W*(\w+\.)?(debug|trace)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\b(panic|os\.Exit|sys\.exit|process\.exit|throw new)\b")
_STRICT = re.compile(r"[Dd]isallow|[Ss]trict|[Rr]equired|[Rr]eject|[Ff]orbid|[Mm]ust[A-Z_]|NOT NULL")
_BACKTRACKS = re.compile(r"[+*]\)[+*]|\)\{\d+,\}[+*]")

COMING: tuple[tuple[str, re.Pattern[str], float, str], ...] = (
    ("waits", _WAITS, 0.5, "waits or locks"),
    ("grows", _GROWS, 0.4, "keeps or starts things without an end"),
    ("verbose", _VERBOSE, 0.5, "logs much more"),
    ("ends", _ENDS, 0.4, "gives up where it went on"),
    ("strict", _STRICT, 0.5, "takes less than before"),
    ("pattern", _BACKTRACKS, 0.65, "has a pattern that may backtrack without end"),
)
"""What lines do that come, and how dangerous that is: kind, pattern, strength and words for it."""

BECOMING: tuple[tuple[str, re.Pattern[str], float, str], ...] = (
    (
        "network",
        re.compile(
            r"cidr|ingress|egress|firewall|security_?group|subnet|network_?policy|allow_?list", re.IGNORECASE
        ),
        0.5,
        "changes who may connect to whom",
    ),
    ("schedule", re.compile(r"\bschedule\b|\bcron\b", re.IGNORECASE), 0.5, "changes when something runs"),
    (
        "query",
        re.compile(r"\b(SELECT|WHERE|ORDER BY|GROUP BY|HAVING|JOIN|LIMIT)\b"),
        0.45,
        "asks the database otherwise",
    ),
)
"""What a line is about that becomes another one, by words that mean the same everywhere."""
