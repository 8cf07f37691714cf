"""Measures how the house reads: ``python scripts/house.py [--json] [--where MEASURE] [--base REVISION]``.

Each measure is a number of findings, 0 at best, except ``statements``.  ``--where`` lists the findings of one
measure with file and line.  ``--base`` counts the statements of an earlier revision as well.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import re
import subprocess
import sys
import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "handlers", "localslack", "demo")
MOST_MODULES = 20
QUIET = tuple(
    f"bot/{name}" for name in ("canary", "diagnosis", "domain", "engine", "migrations", "ports", "services")
)
"""Folders that know nothing of Slack's dialect."""

# Names that stand in no book of the field; a class, a function or a module may not be called so.
_RETIRED_CLASSES = """
Hand Desk GateDesk QueueDesk RecordDesk MonitorDesk ChecklistDesk FrontDesk Watchman Scene Bench Wire
Books AlertBook DeploymentBook MonitorBook FeedbackBook LeaseBook Teller Trouble Loud Outage Sheet Shift
Can Moved Side WayBack Word Spot Leaning Leaned Look Looked Ruling Operating Alarms Pulses Place Line
Weights Call Expected Board Delivery Pulse Ledger
"""
RETIRED_CLASSES = frozenset(_RETIRED_CLASSES.split())
RETIRED_FUNCTIONS = frozenset({"take_turn", "trouble_of", "word_of", "lean", "tell"})
_RETIRED_MODULES = """
hand desk gate_desk queue_desk record_desk monitor_desk checklist_desk turns words gate_words
monitor_words record_words watchman wire wires way_back marked_yaml shape places names departed choosing
dividing plain _brought _reaching _migration_remains assessing expecting proving advising applying
contracting planning
"""
RETIRED_MODULES = frozenset(_RETIRED_MODULES.split())
_IRREGULAR = """
Told Taken Ran Kept Brought Found Seen Said Shown Known Gone Done Made Held Left Lost Meant Sent Sought
Spread Begun Drawn Given Written Read
"""
IRREGULAR = frozenset(_IRREGULAR.split())
PARTICIPLE = re.compile(r"_?[A-Z][a-z]*[^e\W]ed")
NOT_PARTICIPLES = frozenset({"Feed", "_Feed", "Seed", "Speed", "Need"})
BAD_OPENINGS = re.compile(r"(Tell|Say|Give|Keep)s?\b")
EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]|(?<![\\w:]):[a-z][a-z_]{2,}:(?![\\w:])")
MRKDWN = re.compile(r"<[@#!][A-Z^a-z]|(?<![\w*])\*\w[\w ,.:'…-]*\*(?![\w*])")
HABITS = {
    "is_no": re.compile(
        r"(?<!there )\b(?:is|are|was|were|be) no (?!(?:longer|more|such|other|data|fewer|later|less)\b)\w+",
        re.IGNORECASE,
    ),
    "tell_or_say": re.compile(r"\b(?:tell|tells|told|say|says|said)\b", re.IGNORECASE),
    "nobody_or_whoever": re.compile(r"\b(?:nobody|somebody|whoever|whomever)\b", re.IGNORECASE),
    "translated": re.compile(
        r"\b(?:stands? on|stood on|mend|mends|mended|by itself|by themselves|rightly|for so long|so many of|"
        r"what there is of|come to (?:nothing|this|that)|neither\.)", re.IGNORECASE
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One place: ``where`` is ``file:line``."""

    where: str
    what: str


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield each Python file under ``folders``, with its syntax tree."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each piece of prose: docstrings and other text with a space in it, by line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the lines at which docstrings begin, those of attributes too."""
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def homonyms() -> Iterator[Finding]:
    """Yield each public class whose name another public class has too."""
    places = defaultdict[str, list[str]](list)
    for file, tree in sources(*PACKAGES):
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{file}:{node.lineno}")
    for name, found in sorted(places.items()):
        if len(found) > 1:
            yield Finding(found[0], f"{name}, also in {', '.join(found[1:])}")


def participles() -> Iterator[Finding]:
    """Yield each class that is called by a bare participle."""
    for file, tree in sources(*PACKAGES):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name not in NOT_PARTICIPLES:
                bare = node.name.lstrip("_")
                if bare in IRREGULAR or PARTICIPLE.fullmatch(bare):
                    yield Finding(f"{file}:{node.lineno}", node.name)


def retired_names() -> Iterator[Finding]:
    """Yield each class, function and module that has a name which was given up."""
    for file, tree in sources("bot", "handlers"):
        if Path(file).stem in RETIRED_MODULES:
            yield Finding(f"{file}:1", Path(file).stem)
        for node in ast.walk(tree):
            named = (isinstance(node, ast.ClassDef) and node.name in RETIRED_CLASSES) or (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in RETIRED_FUNCTIONS
            )
            if named:
                yield Finding(f"{file}:{node.lineno}", node.name)


def slack_dialect() -> Iterator[Finding]:
    """Yield each emoji, mention or bold word of Slack's in a folder that should not know Slack."""
    for file, tree in sources(*QUIET):
        prose = _docstrings(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or node.lineno in prose:
                continue
            hit = EMOJI.search(node.value) or MRKDWN.search(node.value)
            if hit:
                yield Finding(f"{file}:{node.lineno}", hit[0])


def crowded_folders() -> Iterator[Finding]:
    """Yield each folder of ``bot`` with more than 20 modules at its root."""
    for folder in sorted({path.parent for path in (ROOT / "bot").rglob("*.py")}):
        count = sum(1 for path in folder.glob("*.py") if path.name != "__init__.py")
        if count > MOST_MODULES:
            yield Finding(str(folder.relative_to(ROOT)), f"{count} modules")


def docstring_openings() -> Iterator[Finding]:
    """Yield each docstring that begins with *Tell*, *Say*, *Give* or *Keep*."""
    for file, tree in sources(*PACKAGES):
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if BAD_OPENINGS.match(text):
                    line = 1 if isinstance(node, ast.Module) else node.lineno
                    yield Finding(f"{file}:{line}", text.partition("\n")[0])


def habit(pattern: re.Pattern[str]) -> Callable[[], Iterator[Finding]]:
    """Return a measure of how often a habit of speech occurs in code, and in the documentation's prose."""

    def found() -> Iterator[Finding]:
        for file, tree in sources(*PACKAGES):
            for line, text in _texts(tree):
                for hit in pattern.finditer(text):
                    yield Finding(f"{file}:{line + text.count(chr(10), 0, hit.start())}", _around(text, hit))
        for page in _pages():
            for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
                for hit in pattern.finditer(text):
                    yield Finding(f"{page.relative_to(ROOT)}:{number}", _around(text, hit))

    return found


def _around(text: str, hit: re.Match[str]) -> str:
    return " ".join(text[max(0, hit.start() - 30) : hit.end() + 30].split())


def _pages() -> Iterator[Path]:
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))


MEASURES: dict[str, Callable[[], Iterator[Finding]]] = {
    "homonymous_public_classes": homonyms,
    "participle_class_names": participles,
    "retired_names": retired_names,
    "slack_dialect_below_views": slack_dialect,
    "folders_over_20_modules": crowded_folders,
    "docstrings_tell_say_give_keep": docstring_openings,
    **{f"habit_{name}": habit(pattern) for name, pattern in HABITS.items()},
}


def statements_in(text: str) -> int:
    """Return the number of statements in a module, docstrings left out."""
    tree = ast.parse(text)
    return sum(isinstance(node, ast.stmt) and not _is_text(node) for node in ast.walk(tree))


def _is_text(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def statements(revision: str = "") -> dict[str, int]:
    """Return the statements of ``bot`` and of all packages together, now or at a revision of Git."""
    counts = dict.fromkeys(PACKAGES, 0)
    if revision:
        archive = io.BytesIO(_git("archive", "--format=tar", revision, *PACKAGES))
        with tarfile.open(fileobj=archive) as tar:
            members = [member for member in tar if member.name.endswith(".py")]
            texts = [(member.name, _text(tar, member)) for member in members]
    else:
        paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
        texts = [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]
    for name, text in texts:
        counts[name.partition("/")[0]] += statements_in(text)
    return {"bot": counts["bot"], "all": sum(counts.values())}


def _git(*words: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *words], check=True, capture_output=True).stdout


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = tar.extractfile(member)
    return "" if file is None else file.read().decode()


def main() -> int:
    """Print the figures, or the findings of one measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--where", choices=MEASURES, help="list the findings of one measure")
    parser.add_argument("--base", default="", metavar="REVISION", help="count its statements, too")
    given = parser.parse_args()
    if given.where:
        for finding in MEASURES[given.where]():
            print(f"{finding.where}: {finding.what}")
        return 0
    figures: dict[str, object] = {name: sum(1 for _ in measure()) for name, measure in MEASURES.items()}
    figures["statements"] = statements()
    if given.base:
        figures["statements_before"] = statements(given.base)
    if given.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, figure in figures.items():
            print(f"{name:32} {figure}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
