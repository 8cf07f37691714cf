"""How often the diagnosis names the right cause, beside what others publish.

``python -m bench.diagnosis --json --data DIR``: every track of ``bench/diagnosing`` (a module with ``NAME``
and ``measure(data)``), on public cases with known causes in ``DIR``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import bench.diagnosing

DATA = Path("../shared/data/rca")


def tracks() -> dict[str, ModuleType]:
    """Find the tracks by their names."""
    names = sorted(found.name for found in pkgutil.iter_modules(bench.diagnosing.__path__))
    modules = (importlib.import_module(f"bench.diagnosing.{name}") for name in names)
    return {module.NAME: module for module in modules if hasattr(module, "NAME")}


def main() -> None:
    """Measure the tracks that were asked for, and print them."""
    found = tracks()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--data", type=Path, default=DATA, help=f"the folder with the cases ({DATA})")
    parser.add_argument(
        "--track", choices=sorted(found), action="append", help="only this one; may be repeated"
    )
    args = parser.parse_args()
    if not (args.data / "truth").is_dir():
        parser.error(f"{args.data} has no cases; name their folder with --data (a few: tests/data/telemetry)")
    results = {name: found[name].measure(args.data) for name in args.track or sorted(found)}
    if args.json:
        print(json.dumps(results, indent=1))
        return
    for name, result in results.items():
        print(f"# {name}")
        _told(result, depth=0)


def _told(result: dict[str, Any], *, depth: int) -> None:
    for key, value in result.items():
        if not isinstance(value, dict):
            print(f"{'  ' * depth}{key}: {value}")
        elif all(not isinstance(each, dict) for each in value.values()):
            print(f"{'  ' * depth}{key}: " + ", ".join(f"{name} {each}" for name, each in value.items()))
        else:
            print(f"{'  ' * depth}{key}")
            _told(value, depth=depth + 1)


if __name__ == "__main__":
    main()
