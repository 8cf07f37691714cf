"""In which order files of tests run, and which of them never run beside each other."""

from __future__ import annotations

REAL_TIME = "real-time"
"""Scenarios of the whole shop: they watch metrics, alerts and traffic as these come, so one runs at a time."""
_LONGEST_FIRST = (
    "tests/integration/test_the_loop.py",
    "tests/integration/test_diagnosis_on_the_shop.py",
    "tests/browser/",
    "tests/integration/test_triage_with_broken_sources.py",
    "tests/demo/",
    "tests/integration/test_crash_matrix.py",
    "tests/integration/",
    "tests/plugins/targets/",
    "tests/plugins/",
    "tests/bench/",
    "tests/localslack/",
    "tests/contract/",
    "tests/handlers/",
)
"""Starts of paths; what comes last must be short, or one process works while the others wait."""


def rank(node_id: str) -> int:
    """Return the place in the order of the file of a test; 0 is first."""
    return next(
        (n for n, start in enumerate(_LONGEST_FIRST) if node_id.startswith(start)), len(_LONGEST_FIRST)
    )


def group(node_id: str, *, is_real_time: bool) -> str:
    """Return the name under which a test runs in one process with others: its file, or all of real time."""
    return REAL_TIME if is_real_time else node_id.partition("::")[0]
