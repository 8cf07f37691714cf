"""Kinds of target are found by scanning, those of other packages included, and a wrong entry is refused in words."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import ModuleType

import httpx
import pytest
from pydantic import Field

import bot.engine.plugins as scanning
from bot.domain.catalogue import Catalogue, Service
from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.targets.registry import TargetKindError, kinds_in, target_kinds, target_of
from bot.targets.support.kind import TargetKind, TargetSettings
from bot.testing.stores import memory_context


class NomadSettings(TargetSettings):
    job: str
    count: int = Field(default=1, ge=1)


@dataclass(frozen=True)
class NomadTarget:
    """As much of a target as finding one takes."""

    ctx: Context
    service: str
    settings: NomadSettings


def kind(name: str = "nomad", precedence: int = 15) -> TargetKind[NomadSettings]:
    return TargetKind(name=name, settings=NomadSettings, make=NomadTarget, precedence=precedence)  # type: ignore[arg-type]


def module(declared: object) -> ModuleType:
    made = ModuleType("nomad_plugin")
    made.KIND = declared  # type: ignore[attr-defined]
    return made


@pytest.fixture
def context():
    def made(**target: dict[str, str]) -> Context:
        catalogue = Catalogue(services=(Service(name="shop", target=target),))
        return memory_context(catalogue=catalogue, http=httpx.AsyncClient())

    return made


def test_the_kinds_that_ship_are_found_in_the_order_of_precedence():
    assert list(target_kinds()) == ["haproxy", "git", "command", "flags"]


def test_a_module_without_a_kind_declares_none():
    assert kinds_in([ModuleType("helpers"), module("haproxy")]) == {}


def test_two_kinds_of_one_name_are_refused():
    with pytest.raises(TargetKindError, match="Two kinds of target are called `nomad`"):
        kinds_in([module(kind()), module(kind())])


async def test_a_kind_of_another_package_is_found_by_its_entry_point(monkeypatch, context):
    point = EntryPoint(name="nomad", value="nomad_plugin", group=scanning.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: module(kind()))
    monkeypatch.setattr(scanning, "entry_points", lambda group: [point] if group == point.group else [])
    target_kinds.cache_clear()
    try:
        assert list(target_kinds()) == ["haproxy", "nomad", "git", "command", "flags"]
        found = target_of(context(nomad={"job": "shop", "count": "2"}, flags={"flag": "f"}), "shop")
        assert isinstance(found, NomadTarget)
        assert found.settings == NomadSettings(job="shop", count=2)
    finally:
        target_kinds.cache_clear()


async def test_what_carries_the_traffic_is_meant_where_none_is_named(context):
    ctx = context(flags={"flag": "f"}, command={"version": "true"})
    assert type(target_of(ctx, "shop")).__name__ == "CommandTarget"
    assert type(target_of(ctx, "shop", by="flags")).__name__ == "FlagsTarget"


@pytest.mark.parametrize(
    ("target", "by", "said"),
    [
        ({}, "", "shop has no target to deploy to."),
        ({"flags": {"flag": "f"}}, "nomad", "shop has no target `nomad` to deploy to."),
        ({"git": {"remote": "r", "key": "k"}}, "", "The catalogue's `git` of shop has no `file`."),
        (
            {"command": {"version": "v", "run": "x"}},
            "",
            "The catalogue's `command` of shop has a wrong `run`",
        ),
        ({"flags": {"flag": ""}}, "", "The catalogue's `flags` of shop has no `flag`."),
    ],
)
async def test_a_target_that_cannot_be_used_is_refused_in_words(context, target, by, said):
    with pytest.raises(ActionFailedError) as caught:
        target_of(context(**target), "shop", by=by)
    assert str(caught.value).startswith(said)
    assert caught.value.code == "target_not_configured"
