"""One real shop for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest

from tests.demo.open_shop import (
    WEBHOOK_TOKEN,
    OpenShop,
    Webhook,
    alive,
    family,
    start_shop,
    stop_shop,
)
from tests.support.waiting import until_now


@pytest.fixture(scope="session")
def webhook() -> Iterator[Webhook]:
    receiver = Webhook()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def open_shop(tmp_path_factory: pytest.TempPathFactory, webhook: Webhook) -> Iterator[OpenShop]:
    folder = tmp_path_factory.mktemp("shop")
    process, facts = start_shop(folder, "--webhook-url", webhook.url, "--webhook-token", WEBHOOK_TOKEN)
    try:
        with httpx.Client(base_url=facts["control_url"], timeout=60, trust_env=False) as http:
            yield OpenShop(facts, webhook, http)
    finally:
        assert stop_shop(process) == 0


@pytest.fixture
def shop(open_shop: OpenShop) -> Iterator[OpenShop]:
    """The shared shop, well when a test begins and well again when it ends."""
    open_shop.until_well()
    yield open_shop
    open_shop.http.post("/faults/reset").raise_for_status()


@pytest.fixture
def no_leftovers() -> Iterator[None]:
    """Whatever a test starts has ended when the test has."""
    before = family(os.getpid())
    yield
    until_now(lambda: not alive(family(os.getpid()) - before), what="nothing of the test still runs")
