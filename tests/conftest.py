"""How the tests run: in which order, which of them apart; and real servers that more than one folder needs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import hypothesis
import pytest

from bot.adapters.redis.store import RedisStore
from tests import ordering, quarantine
from tests.support.valkeys import fresh_store

os.environ["PILOTHOUSE_ENV_FILE"] = os.devnull  # a developer's own `.env` is not for tests
_UNHURRIED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("here", _UNHURRIED)
hypothesis.settings.register_profile("ci", _UNHURRIED, derandomize=True)
# How long an example takes says how busy the machine is; and what landed once must not fail by a new draw of lots.
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quarantine",
        choices=("with", "leave-out", "only"),
        default="with",
        help="run the tests of tests/quarantine.toml with the others, not at all, or alone",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a server, part off the quarantine, and put files in order."""
    chosen = config.getoption("--quarantine")
    if chosen != "with":
        entries = quarantine.entries()
        apart = [item for item in items if any(entry.covers(item.nodeid) for entry in entries)]
        kept = apart if chosen == "only" else [item for item in items if item not in apart]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
    items.sort(key=lambda item: ordering.rank(item.nodeid))
    for item in items:
        if _needs_a_server(item):
            item.add_marker(pytest.mark.server)
        is_real_time = item.get_closest_marker("demo") is not None
        item.add_marker(pytest.mark.xdist_group(ordering.group(item.nodeid, is_real_time=is_real_time)))


def _needs_a_server(item: pytest.Item) -> bool:
    """Return whether a test of both twins runs on the real one, or takes the shared store."""
    params = (
        item.callspec.params.values()
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        else ()
    )
    return "redis" in params or "store" in getattr(item, "fixturenames", ())


@pytest.fixture
async def store() -> AsyncIterator[RedisStore]:
    """The adapters' shared store on a fresh, real Valkey with its append-only file on."""
    async with fresh_store() as made:
        yield made
