"""The shop's page of the manual names every fault, refusal and route there is."""

from __future__ import annotations

import re
from pathlib import Path

from demo.shop.faults.catalogue import all_faults

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "docs" / "how-to" / "the-shop.md").read_text(encoding="utf-8")


def source() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "demo").rglob("*.py")))


def test_every_fault_is_in_the_manual() -> None:
    assert [fault.name for fault in all_faults() if f"| `{fault.name}` |" not in MANUAL] == []


def test_every_refusal_is_in_the_manual() -> None:
    codes = set(re.findall(r'RefusedError\(\s*\d{3},\s*"([a-z_]+)"', source()))
    assert len(codes) > 10
    assert {code for code in codes if f"`{code}`" not in MANUAL} == set()


def test_every_environment_variable_of_the_catalogue_has_a_shop_that_sets_it() -> None:
    text = (ROOT / "demo" / "shop" / "catalogue.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(re.findall(r'"(SHOP_\w+)"', source()))
