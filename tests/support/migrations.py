"""The labelled migrations: what each does to an old version, said before anything judged it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
SHOP = (DATA / "migrations_shop.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One migration; ``shown`` says how a real server proves its label.

    ``works``: the old version runs on, and nothing reads otherwise.  ``breaks``: a statement of the old
    version fails.  ``differs``: something reads otherwise right after it.  ``argued``: no server can show it.
    """

    name: str
    verdict: str
    shown: str
    because: str
    tricky: bool
    setup: str
    sql: str


def labelled() -> list[Labelled]:
    """Read all of them, in the order of their numbers."""
    return [_read(path) for path in sorted((DATA / "migrations").glob("*.sql"))]


def statements(name: str) -> list[str]:
    """Read a file of one statement a line (or several lines up to ``;``), without its comments."""
    text = (DATA / name).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip()]


def _read(path: Path) -> Labelled:
    head, _, sql = path.read_text(encoding="utf-8").partition("-- up\n")
    head, _, setup = head.partition("-- setup\n")
    label = dict(line.removeprefix("-- ").split(": ", 1) for line in head.splitlines())
    return Labelled(
        name=path.stem,
        verdict=label["verdict"],
        shown=label["shown"],
        because=label["because"],
        tricky=label.get("tricky") == "yes",
        setup=setup,
        sql=sql,
    )
