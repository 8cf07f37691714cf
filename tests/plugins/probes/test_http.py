"""The health probe against real servers that are well, ill, slow, silent, gone or something else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.http.probes import dependencies, health
from tests.support.servers import answering, free_port, hanging, http_server
from tests.support.waiting import LIMIT_S


def service(name: str, health_url: str = "", **more: Any) -> dict[str, Any]:
    sources = {"http": {"health": health_url}} if health_url else {}
    return {"name": name, "sources": sources, **more}


@pytest.fixture(autouse=True)
def _a_machine_that_is_busy_is_not_slow(monkeypatch):
    """Let an answer count as slow only where the test makes it slow, not where the machine does."""
    monkeypatch.setattr("bot.probes.http.probes._SLOW_S", 2.0)


async def test_a_chain_that_is_well_gives_no_finding_and_says_what_was_asked(context):
    async with http_server(
        {"/a": answering({"status": "ok"}), "/b": answering("OK", content_type="text/plain")}
    ) as url:
        ctx = context(
            service("shop", f"{url}/a", depends_on=["bank"]), service("bank", f"{url}/b", external=True)
        )
        found = await dependencies(ctx, service="shop")
    assert found.items == ()
    assert found.gaps == ()
    assert "shop and bank" in found.looked_at
    assert len(found.normal) == 2


async def test_a_readiness_answer_names_the_dependency_that_is_missing(context):
    body = {"status": "degraded", "dependencies": {"bank": {"ok": False, "ms": 900, "error": "timed out"}}}
    async with http_server({"/readyz": answering(body, status=503)}) as url:
        ctx = context(service("shop", f"{url}/readyz", depends_on=["bank"]), service("bank", external=True))
        found = await dependencies(ctx, service="shop")
    [finding] = found.items
    assert (finding.kind, finding.service, finding.component) == (FindingKind.DEPENDENCY_DOWN, "shop", "bank")
    assert finding.summary == "shop reports that bank is not available to it: timed out (after 900 ms)."


async def test_a_login_in_a_health_address_is_told_to_nobody(context):
    async with http_server({"/readyz": answering("no", status=503)}) as url:
        with_login = f"{url}/readyz?key=s3cret".replace("http://", "http://ana:s3cret@")
        ctx = context(service("shop", with_login))
        [finding] = (await dependencies(ctx, service="shop")).items
        measured = await health(ctx, service="shop")
    told = f"{finding.model_dump_json()} {measured.model_dump_json()}"
    assert f"{url}/readyz" in told
    assert "s3cret" not in told


async def test_an_outside_service_that_hangs_is_down_and_costs_only_its_own_time(context):
    async with http_server({"/ok": answering({"status": "ok"}), "/hangs": hanging}) as url:
        ctx = context(
            service("shop", f"{url}/ok", depends_on=["bank"]), service("bank", f"{url}/hangs", external=True)
        )
        async with asyncio.timeout(LIMIT_S):
            found = await dependencies(ctx, service="shop", timeout_each_s=2)
    [finding] = found.items
    assert (finding.kind, finding.service) == (FindingKind.DEPENDENCY_DOWN, "bank")
    assert finding.data["state"] == "timeout"


async def test_a_refused_connection_of_our_own_service_is_a_service_down(context):
    ctx = context(service("shop", f"http://127.0.0.1:{free_port()}/healthz"))
    [finding] = (await dependencies(ctx, service="shop")).items
    assert (finding.kind, finding.data["state"]) == (FindingKind.SERVICE_DOWN, "refused")


async def test_a_500_without_reasons_is_a_service_down(context):
    async with http_server({"/healthz": answering("oh no", status=500, content_type="text/html")}) as url:
        [finding] = (await dependencies(context(service("shop", f"{url}/healthz")), service="shop")).items
    assert finding.kind is FindingKind.SERVICE_DOWN


async def test_one_slow_answer_among_fast_ones_is_a_finding(context):
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(2.5)  # real time: what is slow is measured
        return web.json_response({"status": "ok"})

    async with http_server({"/slow": slow, "/fast": answering({"status": "ok"})}) as url:
        ctx = context(service("shop", f"{url}/fast", depends_on=["pay"]), service("pay", f"{url}/slow"))
        [finding] = (await dependencies(ctx, service="shop", timeout_each_s=30)).items
    assert (finding.kind, finding.service) == (FindingKind.DEPENDENCY_SLOW, "pay")
    assert finding.evidence[0].value >= 2.5


async def test_an_address_that_is_not_there_is_a_gap_and_no_illness(context):
    async with http_server({"/ok": answering({"status": "ok"})}) as url:
        ctx = context(service("shop", f"{url}/ok", depends_on=["pay"]), service("pay", f"{url}/nothing-here"))
        found = await dependencies(ctx, service="shop")
    assert found.items == ()
    assert found.gaps == ("pay: the health address answers 404",)


async def test_an_address_that_is_no_url_is_unavailable(context):
    with pytest.raises(ProbeUnavailableError, match="not a URL"):
        await dependencies(context(service("shop", "not a url")), service="shop")


async def test_without_any_health_address_the_probe_is_not_configured(context):
    with pytest.raises(ProbeNotConfiguredError):
        await dependencies(context(service("shop")), service="shop")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (answering({"status": "ok"}), 1.0),
        (answering({"status": "down"}), 0.0),
        (answering({"status": "ok", "dependencies": {"db": {"ok": False}}}), 0.0),
        (answering("anything", status=503, content_type="text/plain"), 0.0),
        (answering(["of", "another", "shape"]), 1.0),
        (hanging, 0.0),
    ],
    ids=["ok", "says down", "names a dependency", "503", "another shape", "hangs"],
)
async def test_health_is_1_only_for_a_service_that_says_so(context, answer, value):
    async with http_server({"/healthz": answer}) as url:
        measured = await health(
            context(service("shop", f"{url}/healthz"), timeout_s=0.5 if answer is hanging else 30),
            service="shop",
        )
    assert measured.value == value
    assert measured.text.startswith("shop is")


async def test_health_of_a_service_that_is_gone_is_0(context):
    measured = await health(context(service("shop", f"http://127.0.0.1:{free_port()}/")), service="shop")
    assert measured.value == 0


async def test_health_at_a_wrong_address_is_unavailable_and_not_ill(context):
    async with http_server({}) as url:
        with pytest.raises(ProbeUnavailableError, match="404"):
            await health(context(service("shop", f"{url}/healthz")), service="shop")


async def test_health_without_an_address_is_not_configured(context):
    with pytest.raises(ProbeNotConfiguredError):
        await health(context(service("shop")), service="shop")
