"""The systemd units are understood by systemd, and shut the bot in."""

from __future__ import annotations

import configparser
import shutil
import subprocess

import pytest

from bot.__main__ import commands
from tests.deploy.podman import ROOT, not_tried

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
WORST = 2.0
"""The exposure that `systemd-analyze security` gives; from 0, shut in, to 10."""


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        not_tried("the systemd units", "systemd-analyze is not installed")
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(analyze, unit, tmp_path):
    # The program is not at its place on the machine of the tests, and systemd-analyze insists on it.
    copy = tmp_path / unit.name
    text = unit.read_text("utf-8")
    assert "ExecStart=/opt/pilothouse/bin/pilothouse %i\n" in text
    copy.write_text(text.replace("/opt/pilothouse/bin/pilothouse", shutil.which("true")), encoding="utf-8")
    done = run(analyze, "verify", "--man=no", str(copy))
    assert (done.returncode, done.stderr) == (0, "")
    copy.write_text(copy.read_text("utf-8").replace("NoNewPrivileges", "NoNewPriviledges"), encoding="utf-8")
    assert (
        "NoNewPriviledges" in run(analyze, "verify", "--man=no", str(copy)).stderr
    )  # a misspelt one is found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_is_shut_in(analyze, unit):
    done = run(analyze, "security", "--offline=true", f"--threshold={int(WORST * 10)}", str(unit))
    assert done.returncode == 0, done.stdout[-500:]


def test_the_unit_is_for_roles_that_exist():
    (unit,) = UNITS
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit, encoding="utf-8")
    service = parsed["Service"]
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["EnvironmentFile"] == "/etc/pilothouse/pilothouse.env"
    assert {"web", "worker", "clock"} <= {module.NAME for module in commands()}
