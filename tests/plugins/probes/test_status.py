"""The status pages of providers: Statuspage, Google Cloud, Slack and the documented feed, in their documented shapes.

Statuspage: https://metastatuspage.com/api#summary.  Google Cloud: https://status.cloud.google.com/incidents.schema.json.
Slack: https://docs.slack.dev/reference/slack-status-api/.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.status.feeds import impact_of, read_feed
from bot.probes.status.probes import page
from tests.support.servers import answering, free_port, hanging, http_server

SUMMARY = "/api/v2/summary.json"
GOOGLE = [
    {
        "id": "1",
        "begin": "2026-03-01T11:00:00+00:00",
        "external_desc": "Pub/Sub is slow",
        "severity": "medium",
        "status_impact": "SERVICE_DISRUPTION",
        "affected_products": [{"title": "Google Cloud Pub/Sub", "id": "x"}],
        "uri": "incidents/1",
    },
    {
        "id": "0",
        "begin": "2026-02-01T11:00:00+00:00",
        "end": "2026-02-01T12:00:00+00:00",
        "external_desc": "x",
    },
]
SLACK = {
    "status": "active",
    "active_incidents": [
        {
            "id": 546,
            "date_created": "2026-03-01T03:34:15-07:00",
            "title": "Messages are not sent",
            "type": "outage",
            "status": "active",
            "url": "https://status.example/2",
            "services": ["Messaging"],
        }
    ],
}


def part(name: str, status: str = "operational", **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "status": status, "group": False, **more}


def incident(name: str, impact: str, status: str = "investigating", *parts: str) -> dict[str, Any]:
    return {
        "name": name,
        "impact": impact,
        "status": status,
        "started_at": "2026-03-01T11:40:00.000Z",
        "created_at": "2026-03-01T11:45:00.000Z",
        "resolved_at": None,
        "shortlink": "https://stspg.example/1",
        "components": [part(each, "partial_outage") for each in parts],
    }


def summary(
    *incidents: dict[str, Any], parts: list[dict[str, Any]], maintenances: Any = ()
) -> dict[str, Any]:
    return {
        "page": {"id": "p", "name": "Bank", "url": "https://status.bank.example"},
        "status": {"indicator": "none", "description": "All Systems Operational"},
        "components": parts,
        "incidents": list(incidents),
        "scheduled_maintenances": list(maintenances),
    }


def bank(**source: str) -> list[dict[str, Any]]:
    return [
        {"name": "shop", "depends_on": ["bank"]},
        {"name": "bank", "external": True, "sources": {"status": source}},
    ]


async def test_an_incident_of_a_part_that_we_use_is_told_with_its_impact_and_its_beginning(context):
    said = summary(
        incident("Maps are grey", "critical", "identified", "Maps"),
        incident("Transfers fail", "major", "investigating", "API", "Web"),
        incident("Old one", "critical", "resolved", "API"),
        parts=[part("API", "partial_outage"), part("Web"), part("Maps", "major_outage")],
    )
    async with http_server({SUMMARY: answering(said)}) as url:
        found = await page(context(*bank(url=f"{url}/", components="api, Cards")), service="shop")
    (finding,) = found.items
    assert (finding.kind, finding.service, finding.component) == (FindingKind.DEPENDENCY_DOWN, "bank", "")
    assert finding.began_at is not None
    assert finding.began_at.isoformat() == "2026-03-01T11:40:00+00:00"
    assert finding.summary == (
        "bank reports a disruption on its status page of API and Web: “Transfers fail”, since 11:40:00 UTC."
    )
    assert finding.evidence[0].url == "https://stspg.example/1"
    assert (finding.strength, finding.data["impact"]) == (0.8, "disruption")
    assert found.gaps == ("bank: its status page has no component called Cards",)


async def test_where_no_part_is_named_an_incident_counts_but_less(context):
    said = summary(incident("Maps are grey", "critical", "identified", "Maps"), parts=[part("Maps")])
    async with http_server({SUMMARY: answering(said)}) as url:
        any_part = await page(context(*bank(url=url)), service="shop")
        ours = await page(context(*bank(url=url, components="Maps")), service="shop")
        other = await page(context(*bank(url=url, components="API")), service="shop")
    assert 0 < any_part.items[0].strength < ours.items[0].strength
    assert (other.items, other.normal) == ((), ("bank reports no incident of its own",))


async def test_a_part_marked_as_unwell_counts_without_an_incident_and_a_group_does_not(context):
    parts = [
        part("API", "degraded_performance", updated_at="2026-03-01T11:50:00Z"),
        part("All", "degraded_performance", group=True),
        part("Web", "under_maintenance"),
    ]
    async with http_server({SUMMARY: answering(summary(parts=parts))}) as url:
        found = await page(context(*bank(url=url)), service="shop")
    (finding,) = found.items
    assert (finding.kind, finding.data["incidents"]) == (FindingKind.DEPENDENCY_SLOW, 2)
    assert "API is marked degraded performance" in finding.summary


async def test_maintenance_counts_while_it_is_going_on_and_what_mends_counts_less(context):
    planned = {
        **incident("New disks", "maintenance", "scheduled", "API"),
        "scheduled_for": "2026-03-02T00:00:00Z",
    }
    now = {**planned, "status": "in_progress"}
    async with http_server(
        {
            "/a" + SUMMARY: answering(summary(parts=[part("API")], maintenances=[planned])),
            "/b" + SUMMARY: answering(summary(parts=[part("API")], maintenances=[now])),
            "/c" + SUMMARY: answering(
                summary(incident("x", "major", "monitoring", "API"), parts=[part("API")])
            ),
            "/d" + SUMMARY: answering(
                summary(incident("x", "major", "identified", "API"), parts=[part("API")])
            ),
        }
    ) as url:
        seen = [await page(context(*bank(url=f"{url}/{each}")), service="shop") for each in "abcd"]
    assert [len(found.items) for found in seen] == [0, 1, 1, 1]
    assert seen[1].items[0].data["impact"] == "maintenance"
    assert seen[2].items[0].strength < seen[3].items[0].strength
    assert seen[2].items[0].data["mending"] is True


async def test_at_a_service_of_ours_it_is_something_behind_it_that_is_not_in_the_catalogue(context):
    said = summary(incident("Transfers fail", "critical"), parts=[part("API")])
    async with http_server({SUMMARY: answering(said)}) as url:
        ours = {"name": "shop", "sources": {"status": {"url": url}}}
        found = await page(context(ours), service="shop")
    (finding,) = found.items
    assert (finding.service, finding.component, finding.data["direct"]) == ("shop", "Bank", False)


@pytest.mark.parametrize(
    ("feed", "title", "impact", "parts"),
    [
        (GOOGLE, "Pub/Sub is slow", "disruption", ["Google Cloud Pub/Sub"]),
        (SLACK, "Messages are not sent", "outage", ["Messaging"]),
        ([{"title": "Slow", "since": "2026-03-01T11:40:00Z"}], "Slow", "degraded", []),
    ],
)
async def test_lists_of_other_makes_are_read(context, feed, title, impact, parts):
    async with http_server({"/feed.json": answering(feed)}) as url:
        found = await page(context(*bank(feed=f"{url}/feed.json")), service="shop")
    (finding,) = found.items
    assert title in finding.summary
    assert (finding.data["impact"], finding.data["components"]) == (impact, parts)


def test_an_open_incident_of_an_unknown_impact_is_not_nothing_and_information_is():
    assert impact_of("apocalyptic") == "degraded"
    assert [impact_of(word) for word in ("none", "SERVICE_INFORMATION", "operational")] == [None] * 3
    assert read_feed({"incidents": []}).troubles == ()


async def test_one_page_that_fails_is_a_gap_beside_another_that_answers(context):
    async with http_server(
        {SUMMARY: answering(summary(parts=[part("API")])), "/bad" + SUMMARY: answering({}, status=503)}
    ) as url:
        services = [
            {"name": "shop", "depends_on": ["bank", "post"]},
            {"name": "bank", "external": True, "sources": {"status": {"url": url}}},
            {"name": "post", "external": True, "sources": {"status": {"url": f"{url}/bad"}}},
        ]
        found = await page(context(*services), service="shop")
    assert found.normal == ("bank reports no incident of its own",)
    assert found.gaps == ("post: The status page of post answered 503.",)


async def test_a_page_that_is_away_silent_or_locked_is_unavailable_and_no_secret_is_told(context):
    async with http_server({"/hangs": hanging, "/locked": answering({}, status=401)}) as url:
        for feed, said in (
            (f"http://bot:hunter2@127.0.0.1:{free_port()}/", "the connection is refused"),
            (f"{url}/hangs", "did not answer within 170 ms"),
            (f"{url}/locked", r"denied the bot access \(401\)"),
        ):
            with pytest.raises(ProbeUnavailableError, match=said) as failed:
                await page(
                    context(*bank(feed=feed, token="hunter3"), timeout_s=0.2 if "within" in said else 30),
                    service="shop",
                )
            assert "hunter" not in str(failed.value)


@pytest.mark.parametrize("said", ["<html>", "{}", "[1]", "[{}]", '{"incidents": 3}', "[" * 100_000])
async def test_what_is_no_status_page_is_garbage(context, said):
    async with http_server({SUMMARY: answering(said), "/feed": answering(said)}) as url:
        for source in ({"url": url}, {"feed": f"{url}/feed"}):
            with pytest.raises(ProbeGarbageError):
                await page(context(*bank(**source)), service="shop")


@pytest.mark.parametrize(
    "source", [{}, {"components": "API"}, {"url": "nonsense"}, {"feed": "ftp://bank.example"}]
)
async def test_without_an_address_it_is_not_configured(context, source):
    with pytest.raises(ProbeNotConfiguredError):
        await page(context(*bank(**source)), service="shop")
