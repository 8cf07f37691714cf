"""A store's URL says where it is, or is refused without showing any of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.redis.address import SCHEMES, Address, Login, address_of
from bot.adapters.redis.store import connect
from bot.domain.errors import SettingsError
from bot.settings import load_settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://:pass@localhost:6379/3",
        "rediss://user:pass@cache.example:6380/0?ssl_cert_reqs=none",
        "unix:///run/valkey.sock",
        "unix://user:pass@/run/valkey.sock?db=2",
    ],
)
def test_one_server_is_left_to_redis_py(url):
    address = address_of(url)
    assert (address.kind, address.url) == ("server", url)


def test_sentinels_name_a_service_and_may_have_a_login_of_their_own():
    url = "rediss+sentinel://bot:p%40ss@s1:26379,[::1]:26380,s3/orders/2?sentinel_password=q%2Fq"
    assert address_of(url) == Address(
        kind="sentinel",
        tls=True,
        hosts=(("s1", 26379), ("::1", 26380), ("s3", 26379)),
        login=Login(username="bot", password="p@ss"),
        service="orders",
        db=2,
        sentinel_login=Login(password="q/q"),
    )


def test_a_cluster_is_some_of_its_nodes():
    assert address_of("redis+cluster://:secret@n1:7000,n2") == Address(
        kind="cluster", hosts=(("n1", 7000), ("n2", 6379)), login=Login(password="secret")
    )


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("localhost:6379", "must start with redis://"),
        ("http://localhost", "must start with redis://"),
        ("redis+sentinel://s1:26379", "must name the service behind the Sentinels"),
        ("redis+sentinel:///orders", "must name hosts as host:port"),
        ("redis+sentinel://s1:99999/orders", "must name hosts as host:port"),
        ("redis+sentinel://s1/orders/two", "must end with the number of a database"),
        ("redis+sentinel://s1/orders?timeout=2", "allows only the options"),
        ("redis+sentinel://secret@s1/orders", "must have a colon before the password"),
        ("redis+cluster://n1/1", "a cluster has no numbered databases"),
        ("redis+cluster://", "must name hosts as host:port"),
        ("redis://a:6379,b:6379", "must name one host; use"),
        ("redis://:se/cret@localhost", "must name hosts as host:port"),
        ("redis://:se@cret@localhost", "cannot be read; write `@`"),
        ("redis://localhost/zero", "must end with the number of a database"),
        ("unix://run/valkey.sock", "must name a socket by its full path"),
    ],
)
def test_what_is_wrong_is_said_and_how_it_is_written(url, why):
    with pytest.raises(SettingsError) as caught:
        load_settings({"PILOTHOUSE_REDIS_URL": url})
    assert why in str(caught.value)
    with pytest.raises(SettingsError, match="The store's URL"):
        connect(url)


@given(
    scheme=st.sampled_from(SCHEMES),
    password=st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=6),
    rest=st.sampled_from(["@h:1/service", "@h:x", "@h,,", "@", "/service/x", "@h/service?db=1#"]),
)
def test_no_message_and_no_address_shows_a_password(scheme, password, rest):
    try:
        shown = repr(address_of(f"{scheme}user:hunter{password}{rest}"))
    except ValueError as error:
        shown = str(error)
    assert "hunter" not in shown
