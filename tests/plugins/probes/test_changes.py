"""The changes probe against real feeds and the bot's own ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from bot.domain.diagnoses.change import Change
from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.changes.probes import recent
from tests.support.servers import answering, hanging, http_server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Stopped:
    def now(self) -> datetime:
        return NOW


def record(
    key: str, kind: str = "deploy", service: str = "shop", minutes: float = 5, **more: object
) -> dict[str, object]:
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    return {
        "id": key,
        "at": at,
        "kind": kind,
        "service": service,
        "summary": f"{kind} {key}",
        "author": "mira",
        **more,
    }


def service(name: str, feed: str = "", **more: object) -> dict[str, object]:
    return {"name": name, "sources": {"changes": {"url": feed}} if feed else {}, **more}


async def test_deploys_settings_and_flags_become_findings_newest_first(context):
    feed = [
        record("1", data={"version": "1.4.2", "previous_version": "1.4.1"}, minutes=9),
        record("2", "config", data={"key": "timeout_ms", "before": 2000, "after": 5}, minutes=6),
        record("3", "flag", data={"key": "new_tax", "before": False, "after": True}, minutes=3),
        record("4", "restart", minutes=1),
    ]
    async with http_server({"/changes": answering(feed)}) as url:
        found = await recent(context(service("shop", f"{url}/changes"), clock=Stopped()), service="shop")
    assert [f.kind for f in found.items] == [
        FindingKind.CHANGE_OTHER,
        FindingKind.CHANGE_FLAG,
        FindingKind.CHANGE_CONFIG,
        FindingKind.CHANGE_DEPLOY,
    ]
    deploy, config = found.items[3], found.items[2]
    assert (deploy.component, deploy.data["previous_version"], deploy.data["change_id"]) == (
        "1.4.2",
        "1.4.1",
        "1",
    )
    assert (config.component, config.data["before"], config.data["after"]) == ("timeout_ms", 2000, 5)


async def test_the_question_names_the_service_and_the_time(context):
    asked = []

    async def feed(request: web.Request) -> web.Response:
        asked.append(dict(request.query))
        return web.json_response([])

    async with http_server({"/changes": feed}) as url:
        await recent(context(service("shop", f"{url}/changes"), clock=Stopped()), service="shop", since_s=600)
    assert asked == [{"since": "2026-03-01T11:50:00+00:00", "service": "shop"}]


async def test_a_feed_that_ignores_the_question_is_filtered_here(context):
    feed = {"changes": [record("old", minutes=600), record("other", service="bank"), record("mine")]}
    async with http_server({"/changes": answering(feed)}) as url:
        found = await recent(context(service("shop", f"{url}/changes"), clock=Stopped()), service="shop")
    assert [f.data["change_id"] for f in found.items] == ["mine"]


async def test_the_ledger_and_the_feed_count_the_same_change_once(context):
    own = Change(
        id="7",
        at=NOW - timedelta(minutes=2),
        kind="deploy",
        service="shop",
        summary="Deployed shop 2",
        after="2",
        before="1",
    )
    async with http_server({"/changes": answering([record("7"), record("8")])}) as url:
        ctx = context(service("shop", f"{url}/changes"), changes=[own], clock=Stopped())
        found = await recent(ctx, service="shop")
    assert sorted(str(f.data["change_id"]) for f in found.items) == ["7", "8"]
    [ours] = [f for f in found.items if f.data["change_id"] == "7"]
    assert (ours.data["version"], ours.data["previous_version"]) == ("2", "1")


async def test_what_the_bot_did_and_a_feed_tells_under_another_id_counts_once(context):
    own = Change(
        id="effect-1",
        at=NOW - timedelta(minutes=2),
        kind="config",
        service="shop",
        summary="Set bank of shop to backup",
        before="primary",
        after="backup",
        data={"key": "bank"},
    )
    theirs = record("8", "config", minutes=2.01, data={"key": "bank", "before": "primary", "after": "backup"})
    other = record("9", "config", minutes=2.02, data={"key": "bank", "before": "backup", "after": "primary"})
    async with http_server({"/changes": answering([theirs, other])}) as url:
        ctx = context(service("shop", f"{url}/changes"), changes=[own], clock=Stopped())
        found = await recent(ctx, service="shop")
    assert sorted(str(f.data["change_id"]) for f in found.items) == ["8", "9"]


async def test_changes_of_what_the_service_stands_on_count_too(context):
    async with http_server({"/pay": answering([record("9", service="pay")])}) as url:
        ctx = context(service("shop", depends_on=["pay"]), service("pay", f"{url}/pay"), clock=Stopped())
        found = await recent(ctx, service="shop")
    assert [f.service for f in found.items] == ["pay"]
    assert found.normal == (), "nothing records what is changed in the shop itself"


async def test_one_feed_that_is_down_is_a_gap(context):
    routes = {"/good": answering([record("1")]), "/bad": answering({}, status=500)}
    async with http_server(routes) as url:
        ctx = context(
            service("shop", f"{url}/good", depends_on=["pay"]), service("pay", f"{url}/bad"), clock=Stopped()
        )
        found = await recent(ctx, service="shop")
    assert len(found.items) == 1
    assert found.gaps[0].startswith("pay:")
    assert "500" in found.gaps[0]


async def test_feeds_that_hang_are_unavailable(context):
    async with http_server({"/changes": hanging}) as url:
        ctx = context(service("shop", f"{url}/changes"), timeout_s=0.4, clock=Stopped())
        with pytest.raises(ProbeUnavailableError, match="did not answer"):
            await recent(ctx, service="shop")


@pytest.mark.parametrize("garbage", ["<html>", '{"error": "no"}', '[{"id": 1}]', "[1, 2]"])
async def test_an_answer_of_another_shape_is_garbage(context, garbage):
    async with http_server({"/changes": answering(garbage)}) as url:
        with pytest.raises(ProbeGarbageError):
            await recent(context(service("shop", f"{url}/changes"), clock=Stopped()), service="shop")


async def test_without_a_feed_the_ledger_alone_answers(context):
    own = Change(
        id="7", at=NOW - timedelta(minutes=2), kind="rollback", service="shop", summary="Back to 1", after="1"
    )
    found = await recent(context(service("shop"), changes=[own], clock=Stopped()), service="shop")
    assert [(f.kind, f.data["change_kind"]) for f in found.items] == [(FindingKind.CHANGE_DEPLOY, "rollback")]


async def test_where_nothing_records_changes_their_absence_is_not_read(context):
    with pytest.raises(ProbeNotConfiguredError, match="Nothing records changes of shop"):
        await recent(context(service("shop", depends_on=["pay"]), service("pay")), service="shop")


async def test_what_the_bot_deploys_is_unchanged_if_its_ledger_says_so(context):
    deployed = {**service("shop"), "target": {"command": {"run": "deploy"}}}
    found = await recent(context(deployed), service="shop")
    assert (found.items, found.normal) == ((), ("shop: no change",))


async def test_changes_of_callers_are_read_and_are_no_answer_about_the_service(context):
    routes = {"/web": answering([record("5", service="web")]), "/bad": answering({}, status=500)}
    async with http_server(routes) as url:
        web = service("web", f"{url}/web", depends_on=["shop"])
        found = await recent(context(web, service("shop", f"{url}/none"), clock=Stopped()), service="web")
        assert found.gaps
        beside = await recent(
            context(web, {**service("shop"), "target": {"command": {}}}, clock=Stopped()), service="shop"
        )
        assert [f.service for f in beside.items] == ["web"]
        with pytest.raises(ProbeUnavailableError, match="500"):
            await recent(context(web, service("shop", f"{url}/bad"), clock=Stopped()), service="shop")


async def test_each_step_of_a_deployment_is_told_with_the_version_before(context):
    def step(key: str, minutes: float, *, before: str = "", version: str = "1.5.0") -> Change:
        at = NOW - timedelta(minutes=minutes)
        return Change(
            id=key, at=at, kind="deploy", service="shop", summary=key, before=before, after=version,
            data={"version": version},
        )  # fmt: skip

    steps = [step("stage", 5, before="1.4.1"), step("shift", 4), step("other", 3, version="2.0")]
    found = await recent(context(service("shop"), clock=Stopped(), changes=steps), service="shop")
    assert {f.summary.split()[0]: f.data["previous_version"] for f in found.items} == {
        "stage": "1.4.1",
        "shift": "1.4.1",
        "other": "",
    }
