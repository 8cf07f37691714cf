"""A service in another environment is a service of its own, with an address."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.domain.catalogue import Catalogue

SHOP = {
    "services": [
        {"name": "payments"},
        {
            "name": "checkout",
            "channel": "checkout-oncall",
            "approvers": ["oncall"],
            "depends_on": ["payments"],
            "sources": {"prometheus": {"url": "http://production"}},
            "target": {"haproxy": {"socket": "/production"}},
            "environments": {
                "staging": {"approvers": ["developers"], "sources": {"logs": {"path": "/staging"}}}
            },
        },
    ]
}


def test_an_environment_has_an_address_and_nothing_of_productions_way_to_read_or_change_it():
    staging = Catalogue.model_validate(SHOP).get("checkout@staging")
    assert (staging.environment, staging.channel, staging.approvers) == (
        "staging",
        "checkout-oncall",
        ("developers",),
    )
    assert staging.sources == {"logs": {"path": "/staging"}}
    assert staging.target == {}
    assert staging.depends_on == ()


def test_what_is_read_back_has_no_environment_twice():
    once = Catalogue.model_validate(SHOP)
    assert Catalogue.model_validate(once.model_dump()).names == once.names
    assert once.names == ("payments", "checkout", "checkout@staging")


def test_an_environment_may_not_stand_on_what_is_not_there():
    wrong = {"services": [{"name": "checkout", "environments": {"staging": {"depends_on": ["db@staging"]}}}]}
    with pytest.raises(ValidationError, match="db@staging, which the catalogue does not have"):
        Catalogue.model_validate(wrong)


def test_a_freeze_for_all_holds_in_its_environments_and_one_of_a_service_only_there():
    window = {"reason": "Quiet.", "time_zone": "UTC", "from": "22:00", "until": "06:00"}
    services = [{"name": "payments"}, {**SHOP["services"][1], "freezes": [{"id": "own", **window}]}]
    freezes = [{"id": "night", **window}, {"id": "lab", "environments": ["staging"], **window}]
    catalogue = Catalogue.model_validate({"services": services, "freezes": freezes})
    found = {name: [freeze.id for freeze in catalogue.freezes_of(name)] for name in catalogue.names}
    assert found == {"payments": ["night"], "checkout": ["night", "own"], "checkout@staging": ["lab"]}
