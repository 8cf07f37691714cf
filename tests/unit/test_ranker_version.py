"""The ranker's version names what can change a ranking: all of it, and nothing else."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import migrations
from bot import ranker_version as versions
from bot.diagnosis.commits import weights
from bot.diagnosis.ranking import causes, situation
from bot.domain import catalogue
from bot.ranker_version import ranker_version, ranking_code, stripped

ROOT = Path(__file__).resolve().parents[2]
PLAIN = "def f(x):\n    if x:\n        return 'a'\n    return 1\n"

Edit = Callable[[str, Callable[[str], str]], str]


@pytest.fixture(scope="module")
def now() -> str:
    """The ranker's name as it is."""
    return ranker_version()


@pytest.fixture
def version_with(monkeypatch: pytest.MonkeyPatch) -> Edit:
    """Name the ranker as it would be if one of its modules were edited."""
    real = versions.source_of

    def edited(module: str, edit: Callable[[str], str]) -> str:
        assert edit(real(module)) != real(module)
        with monkeypatch.context() as patched:
            patched.setattr(
                versions, "source_of", lambda name: edit(real(name)) if name == module else real(name)
            )
            return ranker_version()

    return edited


@pytest.mark.parametrize(
    "same",
    [
        "# why\n" + PLAIN,
        '"""A module."""\n' + PLAIN,
        PLAIN.replace("    if x:", '    """Do."""\n    if (x):  # so'),
        PLAIN.replace("'a'", '(\n            "a"\n        )'),
        "if TYPE_CHECKING:\n    from bot.domain.runs.event import Event\n\n" + PLAIN,
    ],
    ids=["comment", "docstring", "docstring within", "formatting", "import for types"],
)
def test_what_does_nothing_when_it_runs_is_left_out(same: str):
    assert ast.unparse(stripped(same)) == ast.unparse(stripped(PLAIN))


@pytest.mark.parametrize(
    "other", [PLAIN.replace("1", "2"), PLAIN.replace("if x", "if not x"), PLAIN + "Y = 0\n"]
)
def test_what_does_something_is_not(other: str):
    assert ast.unparse(stripped(other)) != ast.unparse(stripped(PLAIN))


def test_a_class_of_nothing_but_a_docstring_is_still_a_class():
    assert ast.unparse(stripped('class E(Exception):\n    """Why."""\n')) == "class E(Exception):\n    pass"


@pytest.mark.parametrize("module", [causes.__name__, situation.__name__, catalogue.__name__, "bot.ranker"])
def test_a_branch_in_a_ranking_module_renames_the_ranker_and_a_comment_does_not(
    version_with: Edit, now: str, module: str
):
    assert version_with(module, lambda text: text + "\n# A comment.\n") == now
    assert version_with(module, lambda text: text + "\nif 1 > 2:\n    LEAST = 0.3\n") != now


def test_a_constant_renames_the_ranker(version_with: Edit, now: str):
    assert version_with(causes.__name__, lambda text: text.replace("_LEAST = 0.2", "_LEAST = 0.3")) != now


def test_all_that_an_interpreter_loads_to_rank_is_in_it():
    code = "import sys, bot.ranker; print(*(n for n, m in sys.modules.items() if not hasattr(m, '__path__')))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    ours, named = {name for name in run.stdout.split() if name.startswith("bot.")}, set(ranking_code())
    assert {name for name in ours if not name.startswith("bot.domain.")} <= named <= ours


def test_nothing_of_migrations_judges_or_offline_cases_is_in_it():
    named = ranking_code()
    assert situation.__name__ in named
    for other in (migrations.__name__, "bot.canary", "bot.diagnosis.offline", "bot.domain.cron"):
        assert not [name for name in named if name.startswith(other)]


def test_where_it_is_installed_does_not_matter_and_a_weight_does(tmp_path: Path, now: str):
    """As from a wheel: the package alone, in another folder, asked by another process."""
    shutil.copytree(ROOT / "bot", tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    assert _asked(tmp_path) == now
    fitted = tmp_path / Path(weights.__file__).relative_to(ROOT).with_name("weights.json")
    told = fitted.read_text(encoding="utf-8")
    fitted.write_text(told.replace("\n", "\n\n"), encoding="utf-8")
    rules = tmp_path / Path(migrations.__file__).relative_to(ROOT)
    rules.write_text(rules.read_text(encoding="utf-8") + "\nMOST = 3\n", encoding="utf-8")
    assert _asked(tmp_path) == now
    first = next(char for char in told if char in "123456789")
    fitted.write_text(told.replace(first, str(int(first) - 1), 1), encoding="utf-8")
    assert _asked(tmp_path) != now


def _asked(folder: Path) -> str:
    code = "import bot.ranker_version as v; print(v.__file__, v.ranker_version())"
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    where, version = told.stdout.split()
    assert Path(where).is_relative_to(folder)
    return version
