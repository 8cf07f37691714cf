"""A version cannot come back behind the contract of any newer one, nor where that is not sure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.migrations.compatibility import ContractedObject, in_the_way

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)


def contract(version: str, at: datetime = AT) -> ContractedObject:
    return ContractedObject(version=version, file="01.sql", at=at)


def versions(*found: ContractedObject) -> list[str]:
    return [one.version for one in found]


@pytest.mark.parametrize(
    ("to", "hindering"),
    [
        ("1.6.0", []),
        ("1.5.0", ["1.6.0"]),
        ("1.4.0", ["1.5.0", "1.6.0"]),
        ("1.10.0", []),
        ("v1.5", ["1.6.0"]),
    ],
)
def test_every_contract_between_the_two_versions_is_in_the_way_and_no_older_one(to, hindering):
    applied = [contract("1.3.0"), contract("1.5.0"), contract("1.6.0")]
    assert versions(*in_the_way(applied, current="1.7.0", to=to)) == hindering


def test_a_contract_of_the_present_version_is_in_the_way_however_it_is_numbered():
    assert versions(*in_the_way([contract("1.4.0")], current="1.4.0", to="1.9.0")) == ["1.4.0"]


def test_a_contract_that_was_applied_and_left_behind_by_a_rollback_stays_in_the_way():
    assert versions(*in_the_way([contract("1.6.0")], current="1.5.0", to="1.4.0")) == ["1.6.0"]


@pytest.mark.parametrize(("served_at", "hinders"), [(AT, True), (LATER, False), (None, True)])
def test_versions_without_numbers_go_by_when_the_older_one_began_to_serve(served_at, hinders):
    applied = [contract("green", datetime(2026, 3, 1, 12, tzinfo=UTC))]
    assert bool(in_the_way(applied, current="red", to="blue", served_at=served_at)) is hinders


def test_without_a_version_to_go_to_only_the_present_contract_is_looked_at():
    assert versions(*in_the_way([contract("1.5.0"), contract("1.6.0")], current="1.6.0", to="")) == ["1.6.0"]


@given(
    applied=st.lists(st.integers(1, 9), unique=True),
    current=st.integers(1, 9),
    to=st.integers(1, 9),
)
def test_going_further_back_never_has_fewer_contracts_in_the_way(applied, current, to):
    contracts = [contract(f"1.{number}") for number in applied]
    near = in_the_way(contracts, current=f"1.{current}", to=f"1.{to}")
    far = in_the_way(contracts, current=f"1.{current}", to="1.0")
    assert set(versions(*near)) <= set(versions(*far))
