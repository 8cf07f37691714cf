"""``pilothouse doctor``: what would lose runs or keep the bot from working is found on real servers."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.adapters.leases_checkup import check_leases
from bot.adapters.redis.checkup import check_redis
from bot.adapters.slack.checkup import check_slack
from bot.adapters.slack.client import open_client
from bot.adapters.sources_checkup import check_sources, places_of
from bot.commands import doctor
from bot.domain.catalogue import Catalogue, Service
from bot.domain.clock import SystemClock
from tests.support.servers import answering, free_port, http_server
from tests.support.valkeys import fleet, fresh_valkey, opened
from tests.support.worlds import HandClock

ROOT = Path(__file__).parents[2]


def states(checks):
    return {check.name: check.state for check in checks}


async def look(url, clock=None):
    async with opened(url) as store:
        return await check_redis(store, clock or SystemClock())


async def test_a_server_set_up_as_the_page_says_is_sound():
    async with fresh_valkey() as url:
        checks = await look(url)
    assert set(states(checks).values()) == {"ok"}
    assert [check.todo for check in checks if check.todo] == []
    assert any(check.text.startswith("valkey ") for check in checks)


async def test_a_server_that_would_lose_runs_is_bad_and_says_what_to_do():
    with fleet() as servers:
        server = servers.server("--appendonly", "no", "--maxmemory-policy", "allkeys-lru")
        checks = await look(server.url)
    found = states(checks)
    assert (found["redis append-only file"], found["redis eviction"]) == ("bad", "bad")
    assert all(check.todo for check in checks if check.state != "ok")


async def test_a_default_user_that_may_nothing_is_the_trap_and_one_that_keeps_its_permissions_is_not():
    with fleet() as servers:
        server = servers.server("--appendonly", "yes")
        server.ask("ACL", "SETUSER", "boss", "on", ">pw", "~*", "&*", "+@all")
        login = server.url.replace("redis://", "redis://boss:pw@")
        server.ask("ACL", "SETUSER", "default", "off", "resetkeys", "-@all")
        assert states(await look(login))["redis default user"] == "bad"
        server.ask("ACL", "SETUSER", "default", "~*", "&*", "+@all", login=("boss", "pw"))
        assert states(await look(login))["redis default user"] == "ok"


async def test_what_the_bots_own_user_may_not_ask_is_a_warning_and_not_a_failure():
    with fleet() as servers:
        server = servers.server("--appendonly", "yes")
        server.ask(
            "ACL", "SETUSER", "pilothouse", "on", ">pw", "~{pilothouse:*", "+@all", "-@admin", "-@dangerous"
        )
        found = states(await look(server.url.replace("redis://", "redis://pilothouse:pw@")))
    assert found["redis append-only file"] == "warn"
    assert found["redis version"] == "ok"
    assert "bad" not in found.values()


async def test_clocks_that_disagree_are_told():
    async with fresh_valkey() as url:
        for ahead_s, state in ((5, "warn"), (60, "bad")):
            clock = HandClock(SystemClock().now() + timedelta(seconds=ahead_s))
            assert states(await look(url, clock))["redis clock"] == state


async def test_a_server_that_is_away_is_one_bad_line():
    (check,) = await look(f"redis://127.0.0.1:{free_port()}/0")
    assert (check.state, "does not answer" in check.text) == ("bad", True)


@contextlib.asynccontextmanager
async def slack_answering(body, scopes=None):
    async def handler(_):
        headers = {} if scopes is None else {"x-oauth-scopes": scopes}
        return web.json_response(body, headers=headers)

    app = web.Application()
    app.router.add_post("/auth.test", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize(
    ("body", "scopes", "expected"),
    [
        (
            {"ok": True, "user": "bot", "team": "Shop"},
            "chat:write,users:read",
            {"slack token": "ok", "slack scopes": "ok"},
        ),
        (
            {"ok": True, "user": "bot", "team": "Shop"},
            "chat:write",
            {"slack token": "ok", "slack scopes": "bad"},
        ),
        ({"ok": True, "user": "bot", "team": "Shop"}, None, {"slack token": "ok", "slack scopes": "warn"}),
        ({"ok": False, "error": "invalid_auth"}, None, {"slack token": "bad"}),
    ],
)
async def test_the_token_and_its_scopes_are_compared_with_what_the_bot_does(body, scopes, expected):
    async with (
        slack_answering(body, scopes) as url,
        open_client(token="xoxb-1", api_url=url) as client,
    ):
        checks = await check_slack(client, scopes=["chat:write", "users:read"])
    assert states(checks) == expected
    if expected.get("slack scopes") == "bad":
        assert "users:read" in checks[-1].text


async def test_a_slack_out_of_reach_is_no_wrong_token():
    async with open_client(token="xoxb-1", api_url=f"http://127.0.0.1:{free_port()}/") as client:
        assert states(await check_slack(client, scopes=[])) == {"slack": "bad"}


async def test_a_page_that_answers_in_place_of_slack_is_no_wrong_token():
    async with (
        http_server({"/auth.test": answering("<html>log in</html>", content_type="text/html")}) as url,
        open_client(token="xoxb-1", api_url=f"{url}/") as client,
    ):
        (check,) = await check_slack(client, scopes=[])
    assert (check.name, check.state) == ("slack", "bad")


@pytest.mark.parametrize(
    ("target", "token", "expected"),
    [
        ({"haproxy": {"lease": "http://c/healthz"}}, None, {"leases": "bad"}),
        ({"haproxy": {"lease": "http://c/healthz"}}, "secret", {"leases": "bad"}),
        ({"haproxy": {"lease": "http://c/healthz"}}, "a5c7" * 8, {"leases": "ok"}),
        ({"haproxy": {"lease": ""}}, None, {}),
        ({"command": {"deploy": "/bin/true"}}, None, {}),
    ],
)
def test_a_lease_that_nobody_may_ask_for_is_found_before_a_canary_waits_for_it(target, token, expected):
    catalogue = Catalogue(services=(Service(name="shop", target=target),))
    checks = check_leases(catalogue, token=None if token is None else SecretStr(token))
    assert states(checks) == expected
    assert all(bool(check.todo) == (check.state == "bad") for check in checks)
    assert token is None or token not in str(checks)


async def test_sources_are_looked_for_once_each_and_no_login_is_told():
    async with http_server({"/": answering({})}) as url:
        gone = free_port()
        catalogue = Catalogue.model_validate(
            {
                "services": [
                    {
                        "name": "checkout",
                        "sources": {"prometheus": {"url": f"{url}/a"}, "logs": {"path": "/var/log/x"}},
                    },
                    {"name": "payments", "sources": {"prometheus": {"url": f"{url}/b"}}},
                    {
                        "name": "stock",
                        "sources": {"postgres": {"dsn": f"postgresql://me:secret@127.0.0.1:{gone}/db"}},
                    },
                ]
            }
        )
        checks = await check_sources(catalogue)
    assert len(places_of(catalogue)) == 2
    assert [check.state for check in checks] == ["ok", "warn"]
    assert "checkout.prometheus, payments.prometheus" in checks[0].text
    assert "stock.postgres" in checks[1].todo
    assert "secret" not in str(checks)


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """The settings of a bot of which nothing is set up but what ships."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PILOTHOUSE_RUNBOOKS", str(ROOT / "runbooks"))
    monkeypatch.setenv("PILOTHOUSE_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    (tmp_path / "catalogue.yaml").write_text("services:\n  - {name: checkout}\n")


async def told(capsys, *words):
    parser = argparse.ArgumentParser()
    doctor.configure(parser)
    code = await asyncio.to_thread(doctor.run, parser.parse_args(words))
    return code, capsys.readouterr().out


async def test_every_part_is_looked_at_though_one_is_bad(alone, capsys):
    code, out = await told(capsys, "--json")
    found = {check["name"]: check["state"] for check in json.loads(out)}
    assert (code, found) == (
        1,
        {"settings": "bad", "redis": "bad", "catalogue": "ok", "runbooks": "ok"},
    )
    code, out = await told(capsys)
    assert (code, "BAD   redis" in out, "→ Check PILOTHOUSE_REDIS_URL" in out) == (1, True, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "catalogue.yaml does not exist"),
        ("services:\n  - {nam: checkout}\n", "catalogue.yaml:2: services[0].name: is missing, and 1 more"),
        (
            "services:\n  - name: checkout\n    monitors: [{id: a, probe: http.chek, expect: result.value}]\n",
            "http.chek",
        ),
    ],
)
async def test_a_catalogue_that_does_not_work_is_bad_and_its_first_problem_is_told(
    alone, capsys, tmp_path, text, expected
):
    if text is None:
        (tmp_path / "catalogue.yaml").unlink()
    else:
        (tmp_path / "catalogue.yaml").write_text(text)
    checks = {check["name"]: check for check in json.loads((await told(capsys, "--json"))[1])}
    found = checks["catalogue"]
    assert (found["state"], expected in found["text"], bool(found["todo"])) == ("bad", True, True), found
    assert checks["runbooks"]["state"] == "ok"


async def test_a_misspelt_setting_is_the_first_thing_told(alone, capsys, monkeypatch):
    monkeypatch.setenv("PILOTHOUSE_REDIS_URI", "x")
    code, out = await told(capsys)
    assert (code, "PILOTHOUSE_REDIS_URI is not a setting" in out) == (1, True)
