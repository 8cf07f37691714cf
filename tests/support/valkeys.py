"""Real Valkeys of a test's own: one, one with replicas and a Sentinel, or a cluster."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import redis as blocking
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bot.adapters.redis.store import RedisStore, connect
from demo.scenarios.children import die_with_parent
from demo.scenarios.valkey import embedded_valkey, server_binary
from tests.support.servers import free_port
from tests.support.waiting import until_now

_NODE_TIMEOUT_MS = 1000
_SLOTS = 16_384
SERVICE = "pilothouse"
"""What the Sentinel calls the primary."""


@contextlib.asynccontextmanager
async def fresh_valkey() -> AsyncIterator[str]:
    """Run a fresh Valkey; its folder is short on purpose: a Unix socket's path may be 108 characters long."""
    with tempfile.TemporaryDirectory(prefix="ph-") as folder:
        async with embedded_valkey(Path(folder)) as url:
            yield url


@contextlib.asynccontextmanager
async def fresh_store() -> AsyncIterator[RedisStore]:
    """Run a fresh Valkey and connect to it."""
    async with fresh_valkey() as url, opened(url) as store:
        yield store


@contextlib.asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[RedisStore]:
    """Connect to a store, and close it in the end."""
    store = connect(url, **options)
    try:
        yield store
    finally:
        await store.aclose()


class Server:
    """One server on a port of the loopback, to be killed, frozen and started again."""

    def __init__(self, folder: Path, *options: str, config: str = "") -> None:
        """Keep its command line; ``config`` is the text of its file, which a Sentinel needs."""
        self.port = free_port()
        folder.mkdir()
        self._log = folder / "log"
        file = folder / "server.conf"
        file.write_text(f"{config}\n")
        self._command = [
            *(str(server_binary()), str(file), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(folder), "--save", "", "--enable-debug-command", "yes"),
            *("--repl-diskless-sync-delay", "0", *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens, as URLs have it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where it is, for a client that knows no other."""
        return f"redis://{self.address}/0"

    def start(self) -> None:
        """Run it, and wait until it answers and has read its files."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        until_now(self._answers, what=f"a Valkey that answers; see {self._log.read_text()[-500:]}")

    def ask(self, *command: str | int, login: tuple[str | None, str | None] = (None, None)) -> Any:
        """Send it one command, past everything that is tested; ``login`` is a name and a password."""
        username, password = login
        with blocking.Redis(
            port=self.port,
            username=username,
            password=password,
            decode_responses=True,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            return client.execute_command(*command)

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stop it in its tracks; its connections stay open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        try:
            self.ask("PING")
        except blocking.AuthenticationError:
            return True
        except (RedisError, OSError):
            return False
        return True


class Fleet:
    """Servers that belong together, and all end together, whatever became of them."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder of their folders."""
        self._folder = folder
        self.servers: list[Server] = []

    def server(self, *options: str, config: str = "") -> Server:
        """Start one more."""
        server = Server(self._folder / str(len(self.servers)), *options, config=config)
        self.servers.append(server)
        server.start()
        return server

    def primary_with_replica(self) -> tuple[Server, Server]:
        """Start two, one of which follows the other, and wait until it does."""
        primary = self.server("--appendonly", "yes")
        replica = self.server("--replicaof", f"127.0.0.1 {primary.port}")
        until_now(lambda: replica.ask("ROLE")[3] == "connected", what="a replica that follows")
        return primary, replica

    def sentinel(self, primary: Server) -> Server:
        """Start a Sentinel that watches a primary, and wait until it knows the replica."""
        config = (
            f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 1",
            f"sentinel down-after-milliseconds {SERVICE} 300",
            f"sentinel failover-timeout {SERVICE} 2000",
        )
        sentinel = self.server("--sentinel", config="\n".join(config))
        until_now(
            lambda: "'ok'" in str(sentinel.ask("SENTINEL", "REPLICAS", SERVICE)), what="a replica to promote"
        )
        return sentinel

    def cluster(self, size: int) -> str:
        """Start a cluster, its slots spread evenly; gives the URL that names all of it."""
        nodes = [self.server(*_cluster_options()) for _ in range(size)]
        for number, node in enumerate(nodes):
            first, last = _SLOTS * number // size, _SLOTS * (number + 1) // size - 1
            node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            bus = nodes[0].ask("CONFIG", "GET", "cluster-port")["cluster-port"]
            node.ask("CLUSTER", "MEET", "127.0.0.1", nodes[0].port, bus)
        for node in nodes:
            until_now(lambda node=node: _agreed(node, size), what="a cluster that agrees")
        return f"redis+cluster://{','.join(node.address for node in nodes)}"

    def follower(self, primary: Server) -> Server:
        """Start a replica of a node of a cluster, and wait until it follows and is known."""
        replica = self.server(*_cluster_options())
        bus = primary.ask("CONFIG", "GET", "cluster-port")["cluster-port"]
        replica.ask("CLUSTER", "MEET", "127.0.0.1", primary.port, bus)
        node_id = primary.ask("CLUSTER", "MYID")
        until_now(
            lambda: node_id in str(replica.ask("CLUSTER", "NODES")), what="a replica that knows its primary"
        )
        replica.ask("CLUSTER", "REPLICATE", node_id)
        until_now(lambda: replica.ask("ROLE")[3] == "connected", what="a replica that follows")
        for server in self.servers:
            until_now(
                lambda server=server: _knows_replica(server, replica), what="a cluster that knows the replica"
            )
        return replica


@contextlib.contextmanager
def fleet() -> Iterator[Fleet]:
    """Make a place for servers that belong together."""
    with tempfile.TemporaryDirectory(prefix="ph-") as folder:
        made = Fleet(Path(folder))
        try:
            yield made
        finally:
            for server in made.servers:
                server.kill()


def _cluster_options() -> tuple[str, ...]:
    return (
        *("--cluster-enabled", "yes", "--cluster-port", str(free_port())),
        *("--cluster-node-timeout", str(_NODE_TIMEOUT_MS)),
    )


def _knows_replica(node: Server, replica: Server) -> bool:
    owners = node.ask("CLUSTER", "SLOTS")
    return any(replica.port == other[1] for entry in owners for other in entry[3:])


def _agreed(node: Server, size: int) -> bool:
    owners = {tuple(entry[2][:2]) for entry in node.ask("CLUSTER", "SLOTS")}
    return "cluster_state:ok" in str(node.ask("CLUSTER", "INFO")) and len(owners) == size
