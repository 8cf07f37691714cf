"""A sample of the crash matrix: real processes die, freeze and lose their surroundings, and nobody notices."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.commands import running

pytestmark = [pytest.mark.server, pytest.mark.timeout(420)]

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ("--sample", "24", "--runs", "3", "--tracks", "2", "--lease", "0.8", "--seed", "7", "--json")


async def test_a_run_survives_whatever_happens_to_the_processes_that_carry_it():
    modes = ("kill", "zombie", "redis", "clock", "slack", "doubled", "lost")
    command = (sys.executable, "-m", "bench.crash", "--modes", ",".join(modes), *SAMPLE)
    async with running(*command, cwd=ROOT) as process:
        told, _ = await process.communicate()
    result = json.loads(told)
    wrong = [each for told in result["modes"].values() for each in told["wrong"]]
    assert result["held"], "\n".join(json.dumps(each) for each in wrong)
    assert process.returncode == 0
    assert result["points"] > 100
    assert all(result["modes"][mode]["reached"] >= 3 for mode in ("kill", "zombie"))
    assert result["runs"] >= 2 * 7 + 5 * 3
