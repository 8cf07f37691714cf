"""How tests wait: for a condition, never for a fixed time, and no test measures how long something took."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.docs.pages import ROOT
from tests.support.waiting import LIMIT_S

MARKER = "# real time: "
"""Marks the reason why a test has to let time pass; without it a pause is refused."""
PAUSES = {"asyncio.sleep", "time.sleep"}
CLOCKS = {"time.monotonic", "time.perf_counter", "time.time", "time.process_time"}
LIMITS = {"asyncio.timeout": 0, "asyncio.wait_for": 1}
"""The position of the limit among the arguments."""
LEAST_LIMIT_S = 30
HELPERS = {"tests/support/waiting.py"}


def called(node: ast.AST) -> str:
    """Return the dotted name of a call, or nothing."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def number(node: ast.AST | None) -> float | None:
    return (
        float(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None
    )


def is_pause(node: ast.AST) -> bool:
    """Return whether it lets time pass; ``sleep(0)`` only lets others have their turn."""
    name = called(node)
    if name.endswith("wait_for_timeout"):
        return True
    return name in PAUSES and number(node.args[0] if node.args else None) != 0


def is_tight_limit(node: ast.AST) -> bool:
    """Return whether it gives something less time than a busy machine may need."""
    place = LIMITS.get(called(node))
    if place is None or len(node.args) <= place:
        return False
    limit_s = number(node.args[place])
    return limit_s is not None and limit_s < LEAST_LIMIT_S


def measures(node: ast.AST) -> bool:
    """Return whether an assertion compares with a clock of this machine."""
    return isinstance(node, ast.Assert) and any(called(part) in CLOCKS for part in ast.walk(node.test))


def faults(text: str) -> list[tuple[int, str]]:
    """Return the lines of a test file that wait badly, with what is wrong there."""
    lines = text.splitlines()
    kinds = ((is_pause, "a pause"), (is_tight_limit, "a tight limit"), (measures, "a measured duration"))
    return [
        (node.lineno, what)
        for node in ast.walk(ast.parse(text))
        for is_one, what in kinds
        if is_one(node) and MARKER not in " ".join(lines[node.lineno - 1 : node.end_lineno])
    ]


def test_files_wait_for_conditions_with_generous_limits():
    files = [path for path in sorted((ROOT / "tests").rglob("*.py")) if _name(path) not in HELPERS]
    assert files
    found = [
        f"{_name(path)}:{line}: {what}" for path in files for line, what in faults(path.read_text("utf-8"))
    ]
    assert found == [], f"Poll with tests.support.waiting.until, or give the reason after `{MARKER.strip()}`."


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_each_way_to_wait_badly_would_be_found():
    for line in (
        "await asyncio.sleep(0.1)",
        "time.sleep(seconds)",
        "await page.wait_for_timeout(500)",
        "async with asyncio.timeout(5): pass",
        "await asyncio.wait_for(queue.get(), 9)",
        "assert time.monotonic() - began < 2",
        "assert (time.perf_counter() - began) < limit",
    ):
        assert len(faults(f"async def test_x():\n    {line}")) == 1, line
    for line in (
        "await asyncio.sleep(0)",
        "await asyncio.sleep(1)  # real time: a lease lapses",
        "async with asyncio.timeout(LIMIT_S): pass",
        f"async with asyncio.timeout({LIMIT_S}): pass",
        "await until(lambda: seen, what='x')",
    ):
        assert faults(f"async def test_x():\n    {line}") == [], line
