"""The configuration of HAProxy: written so that a restart means that no candidate has traffic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

BACKEND = "checkout"
STABLE, CANDIDATE = "stable", "candidate"
LEASE_TOKEN = "SHOP_LEASE_TOKEN"  # noqa: S105  # the name of the variable, not a token
CANARY_HEADER, TENANT_HEADER = "X-Canary", "X-Tenant"

# When a process is killed, another is asked instead: with every request that had not left, and with questions
# (GET) that were not answered. An order that has left is never sent twice.
_HEAD = """\
global
    nbthread 1
    maxconn 500
    stats socket {socket} mode 600 level admin
    stats timeout 1m

defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 10s
    timeout check 400ms
    retries 2
    option redispatch 1
    retry-on conn-failure empty-response

frontend stats
    bind 127.0.0.1:{stats_port}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    stats enable
    stats uri /
"""

_BACKEND = """
frontend {name}_in
    bind 127.0.0.1:{port}
    default_backend {name}

backend {name}
    balance roundrobin
    option httpchk GET /healthz
    http-request disable-l7-retry unless METH_GET
    http-response set-header X-Served-By %s
"""

_ROUTES = """\
    use-server {server} if {{ req.hdr({header}) -m str always }}
    use-server {server} if {{ req.hdr({tenant}),map_str({routes}) -m str candidate }}
"""

# A check's path is the backend's, not the server's: this frontend turns the candidate's check into the
# question for its lease. The holder's time to answer is shorter than a check's.
_LEASE = """
frontend {name}_lease
    bind 127.0.0.1:{check_port}
    http-request set-path /leases/{name}/{server}
    http-request set-header Authorization "Bearer ${{SHOP_LEASE_TOKEN}}"
    default_backend {name}_leases

backend {name}_leases
    timeout connect 100ms
    timeout server 350ms
    retries 0
    server holder {address}
"""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """The server that answers ``GET /leases/<service>/<server>``."""

    address: str
    """Host and port."""
    token: str = ""
    """The bearer token for asking; HAProxy reads it from its environment, so that no file has it."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The dead-man switch: ``server`` is up only while ``holder`` answers that its lease is held."""

    server: str
    holder: Holder
    check_port: int
    """Where HAProxy's own check of the server asks for it."""


@dataclass(frozen=True, kw_only=True)
class BackendConfig:
    """A service behind HAProxy: where it is reached, and its servers in order."""

    name: str
    port: int
    server_ports: Mapping[str, int]
    weights: Mapping[str, int]
    """The weight of each server after a restart."""
    cookie: str = ""
    """The cookie that holds clients to their server, where they keep it; empty: none."""
    routed: str = ""
    """The server that a header or a tenant may be routed to; empty: none."""
    lease: Lease | None = None


def config_text(backends: Iterable[BackendConfig], *, socket: Path, stats_port: int, routes: Path) -> str:
    """Write the whole file."""
    head = _HEAD.format(socket=socket, stats_port=stats_port)
    return head + "".join(_backend_text(backend, routes) for backend in backends)


def _backend_text(backend: BackendConfig, routes: Path) -> str:
    text = _BACKEND.format(name=backend.name, port=backend.port)
    if backend.routed:
        text += _ROUTES.format(
            server=backend.routed, header=CANARY_HEADER, tenant=TENANT_HEADER, routes=routes
        )
    if backend.cookie:
        text += f"    cookie {backend.cookie} insert indirect nocache\n"
    for name, port in backend.server_ports.items():
        held = f"cookie {name} " if backend.cookie else ""
        weight = backend.weights[name]
        text += f"    server {name} 127.0.0.1:{port} weight {weight} {held}{_check(backend, name)}\n"
    if backend.lease is not None:
        lease = backend.lease
        text += _LEASE.format(
            name=backend.name, server=lease.server, address=lease.holder.address, check_port=lease.check_port
        )
    return text


def _check(backend: BackendConfig, server: str) -> str:
    if backend.lease is None or backend.lease.server != server:
        return "check inter 500ms fall 3 rise 1"
    # The dead-man switch: gone within a second and a half of the last sign of the holder.
    return f"check addr 127.0.0.1 port {backend.lease.check_port} inter 500ms rise 1 fall 2"
