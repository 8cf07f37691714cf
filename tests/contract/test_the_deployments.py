"""The record of deployments is kept alike by the memory twin, a real Valkey and a cluster."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.board import Topic
from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError
from tests.support.worlds import ANA, START


def deployment(number: int = 1, *, service: str = "checkout", **more: object) -> Deployment:
    at = START - timedelta(minutes=10 - number)
    given = {"outcome": "running", "requested_at": at, "started_at": at, **more}
    return Deployment.model_validate(
        {
            "id": f"r{number}",
            "service": service,
            "strategy": "canary",
            "version": "1.4.2",
            "requested_by": ANA,
        }
        | given
    )


def ended(number: int = 1, **more: object) -> Deployment:
    return deployment(number, outcome="succeeded", changed=True, finished_at=START, **more)


async def test_a_deployment_is_kept_as_it_stands(ports):
    with pytest.raises(NotFoundError):
        await ports.deployments.get("r1")
    assert await ports.deployments.record(deployment())
    assert await ports.deployments.record(ended())
    assert await ports.deployments.record(ended())  # as often as it is said
    assert await ports.deployments.get("r1") == ended()
    assert await ports.deployments.of("checkout", limit=9) == (ended(),)


async def test_what_has_ended_never_becomes_unfinished_again(ports):
    await ports.deployments.record(ended())
    assert not await ports.deployments.record(deployment())
    assert await ports.deployments.get("r1") == ended()


async def test_the_latest_of_a_service_come_first_and_those_of_another_address_not_at_all(ports):
    there = deployment(4, service="checkout@staging")
    for one in (deployment(2), deployment(3), deployment(1), there):
        await ports.deployments.record(one)
    assert [one.id for one in await ports.deployments.of("checkout", limit=2)] == ["r3", "r2"]
    assert await ports.deployments.of("checkout@staging", limit=9) == (there,)
    assert await ports.deployments.of("payments", limit=9) == ()
    assert [one.id for one in await ports.deployments.of("", limit=3)] == ["r4", "r3", "r2"]


async def test_all_since_a_moment_are_listed_oldest_first(ports):
    for one in (deployment(2), deployment(1, service="payments"), deployment(-50)):
        await ports.deployments.record(one)
    assert [one.id for one in await ports.deployments.since(900)] == ["r1", "r2"]


async def test_a_record_that_changes_is_announced_and_one_that_is_refused_is_not(ports):
    topic = Topic(kind="deployment", id="r1")
    for one, claimed in ((deployment(), (topic,)), (ended(), (topic,)), (deployment(), ())):
        await ports.deployments.record(one)
        holds = await ports.board.claim(limit=9, lease_s=10)
        assert tuple(hold.topic for hold in holds) == claimed
        for hold in holds:
            await ports.board.release(hold)


async def test_whoever_says_it_first_the_end_is_kept(ports):
    await asyncio.gather(*(ports.deployments.record(one) for one in (deployment(), ended()) * 5))
    assert (await ports.deployments.get("r1")).outcome == "succeeded"
