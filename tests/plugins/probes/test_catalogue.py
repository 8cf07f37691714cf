"""The catalogue probe says what surrounds a service and leaks no address."""

from __future__ import annotations

import pytest

from bot.domain.errors import UnknownServiceError
from bot.probes.catalogue import neighbourhood


def services() -> list[dict[str, object]]:
    return [
        {"name": "front", "depends_on": ["shop"]},
        {
            "name": "shop",
            "summary": "Sells.",
            "owner": "team",
            "depends_on": ["bank"],
            "versioned_by": "haproxy",
            "sources": {"postgres": {"dsn": "postgresql://u:secret@db/x"}},
            "target": {"haproxy": {"socket": "/run/x", "backend": "shop", "stable": "s", "candidate": "c"}},
        },
        {"name": "bank", "external": True},
    ]


async def test_the_neighbourhood_names_owner_callers_and_dependencies(context):
    facts = await neighbourhood(context(*services()), service="shop")
    assert facts.summary == "shop: Sells. Owner: team. Depends on bank. Called by front."
    assert facts.data["external_dependencies"] == ["bank"]
    assert facts.data["versions"] == {"backend": "shop", "stable": "s", "candidate": "c"}


async def test_no_address_of_a_source_is_told(context):
    facts = await neighbourhood(context(*services()), service="shop")
    assert "secret" not in facts.model_dump_json()


async def test_an_unknown_service_is_refused_with_the_known_names(context):
    with pytest.raises(UnknownServiceError) as refused:
        await neighbourhood(context(*services()), service="shoop")
    assert "`shop`" in refused.value.hint
