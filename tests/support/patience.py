"""The runbooks that ship, with more time: what they decide is tested here, not how fast the machine is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
_MOST_S = 3600  # what the loader allows
_LIMIT = re.compile(r"\b(timeout_s|deadline_s): (\d+(?:\.\d+)?)")


def patient_runbooks(folder: Path, *, times: float = 8) -> Path:
    """Copy the runbooks that ship into ``folder``, with so many times the time for each step; returns the copy.

    A probe that the machine is too busy to answer in time is a source that was not read, and the diagnosis
    correctly says so.  How long the shipped steps may take is tested beside the runbooks.
    """
    copied = shutil.copytree(RUNBOOKS, folder / "runbooks")
    for path in copied.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        longer = _LIMIT.sub(lambda limit: f"{limit[1]}: {min(float(limit[2]) * times, _MOST_S):g}", text)
        path.write_text(longer, encoding="utf-8")
    return copied
