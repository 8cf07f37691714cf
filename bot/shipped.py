"""Where the runbooks that ship with Pilothouse are, in a checkout as well as in an installed package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = "shipped"
"""The word that stands for the folder of the runbooks that ship."""

_HERE = Path(__file__).resolve().parent


def shipped_runbooks() -> Path:
    """Return the folder of the runbooks that ship: inside the package, or beside it in a checkout."""
    packaged = _HERE / "_data" / "runbooks"  # where a wheel has them, see pyproject.toml
    return packaged if packaged.is_dir() else _HERE.parent / "runbooks"


def runbook_path(path: str | Path) -> Path:
    """Return ``path``, or the folder of the runbooks that ship for the word ``shipped``."""
    return shipped_runbooks() if str(path) == SHIPPED else Path(path)
