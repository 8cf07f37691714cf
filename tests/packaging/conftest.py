"""Builds Pilothouse and installs it into fresh environments, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, timeout_s: float = 110) -> subprocess.CompletedProcess[str]:
    """Run a command without this process's settings and import paths."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PILOTHOUSE_", "PYTHONPATH", "PYTEST_"))
    }
    return subprocess.run(
        command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, timeout=timeout_s
    )


def succeeded(*command: str | Path, cwd: Path, timeout_s: float = 110) -> str:
    """Run a command that must succeed, and return what it printed."""
    ended = run(*command, cwd=cwd, timeout_s=timeout_s)
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def build_wheel(source: Path, into: Path) -> Path:
    """Build the wheel of a folder or of an sdist, with the build backend that is installed here."""
    into.mkdir(parents=True)
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation")
    succeeded(*pip, "-w", into, source, cwd=into)
    (built,) = into.glob("*.whl")
    return built


@dataclass(frozen=True)
class Installed:
    """A fresh environment with Pilothouse in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def pilothouse(self) -> Path:
        return self.folder / "bin" / "pilothouse"


@pytest.fixture(scope="session")
def sdist(tmp_path_factory) -> Path:
    """The source distribution."""
    into = tmp_path_factory.mktemp("sdist")
    succeeded(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", into, cwd=ROOT)
    (built,) = into.glob("*.tar.gz")
    return built


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the checkout."""
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel") / "dist")


@pytest.fixture(scope="session")
def install(tmp_path_factory) -> Callable[..., Installed]:
    """Make a fresh environment with these wheels.

    What they depend on is read from the environment that runs the tests, whose own ``.pth`` files, and with them
    the checkout, count for nothing there.
    """

    def make(*wheels: Path) -> Installed:
        folder = tmp_path_factory.mktemp("installed") / "venv"
        succeeded(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        made = Installed(folder)
        pip = (sys.executable, "-m", "pip", "--python", made.python, "install", "--no-deps", "--no-index")
        succeeded(*pip, *wheels, cwd=folder)
        (site,) = folder.glob("lib/python*/site-packages")
        paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (site / "dependencies.pth").write_text("\n".join(sorted(paths)), encoding="utf-8")
        return made

    return make


@pytest.fixture
def foreign(tmp_path) -> Path:
    """Another project's folder: its packages have the names of ours, and do not bear being imported."""
    for name in ("handlers", "runbooks", "tests", "demo", "localslack"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(
            f"raise ImportError('the foreign {name} was imported')\n"
        )
    return tmp_path
