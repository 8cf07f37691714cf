"""Reads the store's address from a URL: one server, one that Sentinels name, or a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote

Kind = Literal["server", "sentinel", "cluster"]
Host = tuple[str, int]

SCHEMES = (
    *("redis://", "rediss://", "unix://"),
    *("redis+sentinel://", "rediss+sentinel://", "redis+cluster://", "rediss+cluster://"),
)
_URL = re.compile(
    r"(?P<scheme>rediss?|unix|rediss?\+(?P<kind>sentinel|cluster))://"
    r"((?P<login>[^@/?#]*)@)?(?P<hosts>[^@/?#]*)(?P<path>/[^?#]*)?(\?(?P<query>[^#]*))?"
)
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[^:\[\]\s]+)(:(?P<port>\d{1,5}))?")
_SENTINEL_PORT, _PORT, _HIGHEST_PORT = 26379, 6379, 65535
_SENTINEL_OPTIONS = {"sentinel_username", "sentinel_password"}


@dataclass(frozen=True, kw_only=True)
class Login:
    """The user and password for a server; never shown."""

    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Address:
    """A store's address.  ``url`` is for redis-py itself and only set for one server; never shown."""

    kind: Kind
    tls: bool = False
    url: str = field(default="", repr=False)
    hosts: tuple[Host, ...] = ()
    login: Login = Login()
    service: str = ""
    db: int = 0
    sentinel_login: Login = Login()


def address_of(url: str) -> Address:
    """Return the address in a URL.

    Raises:
        ValueError: its scheme is not in ``SCHEMES``, or a part is missing; the message shows no part of it.
    """
    if not url.startswith(SCHEMES):
        raise ValueError(f"must start with {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}")
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("cannot be read; write `@`, `/`, `?` and `#` in a password as %40, %2F, %3F and %23")
    path, query = found["path"] or "", found["query"] or ""
    tls = found["scheme"].startswith("rediss")
    match found["kind"]:
        case "sentinel":
            return _sentinel(found["hosts"], path, query, login=_login(found["login"]), tls=tls)
        case "cluster":
            return _cluster(found["hosts"], path, query, login=_login(found["login"]), tls=tls)
        case _:
            _check_server(found["scheme"], found["hosts"], path)
            return Address(kind="server", url=url, tls=tls)


def _sentinel(hosts: str, path: str, query: str, *, login: Login, tls: bool) -> Address:
    service, _, db = path.strip("/").partition("/")
    if not service:
        raise ValueError("must name the service behind the Sentinels: redis+sentinel://host:26379/service")
    options = dict(parse_qsl(query))
    if set(options) - _SENTINEL_OPTIONS:
        raise ValueError("allows only the options `sentinel_username` and `sentinel_password`")
    return Address(
        kind="sentinel",
        hosts=_hosts(hosts, port=_SENTINEL_PORT),
        login=login,
        tls=tls,
        service=unquote(service),
        db=_number(db),
        sentinel_login=Login(
            username=options.get("sentinel_username"), password=options.get("sentinel_password")
        ),
    )


def _cluster(hosts: str, path: str, query: str, *, login: Login, tls: bool) -> Address:
    if path.strip("/") not in {"", "0"} or query:
        raise ValueError("must end after its hosts: a cluster has no numbered databases and no options")
    return Address(kind="cluster", hosts=_hosts(hosts, port=_PORT), login=login, tls=tls)


def _check_server(scheme: str, host: str, path: str) -> None:
    if scheme == "unix":
        if host or not path.strip("/"):
            raise ValueError("must name a socket by its full path: unix:///run/valkey.sock")
        return
    if host:
        _hosts(host, port=_PORT)
    if "," in host:
        raise ValueError("must name one host; use redis+sentinel:// or redis+cluster:// for several")
    _number(path.strip("/"))


def _hosts(text: str, *, port: int) -> tuple[Host, ...]:
    found = [_HOST.fullmatch(part.strip()) for part in text.split(",") if part.strip()]
    hosts = [(host["name"].strip("[]"), int(host["port"] or port)) for host in found if host]
    if not hosts or len(hosts) < len(found) or any(not 0 < number <= _HIGHEST_PORT for _, number in hosts):
        raise ValueError("must name hosts as host:port, separated by commas")
    return tuple(hosts)


def _number(db: str) -> int:
    if db and not db.isdecimal():
        raise ValueError("must end with the number of a database, or without one")
    return int(db or 0)


def _login(text: str | None) -> Login:
    if not text:
        return Login()
    username, colon, password = text.partition(":")
    if not colon:
        raise ValueError(
            "must have a colon before the password: redis://:password@host or redis://user:password@host"
        )
    return Login(username=unquote(username) or None, password=unquote(password) or None)
