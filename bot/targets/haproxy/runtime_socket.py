"""HAProxy's runtime socket: the weight and health of a backend's servers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bot.domain.errors import ActionFailedError, ActionInDoubtError

_MOST_BYTES = 1_000_000
_ANSWER_VERSION = "1"
_SEPARATORS = (";", "<<", "\\")
_STARTING, _RUNNING = 1, 2  # srv_op_state; 0 is stopped, 3 is stopping
_CHECK_CONFIGURED, _CHECK_ENABLED = 2, 4  # bits of srv_check_state
_MAINTAINED = 0x01 | 0x02 | 0x04  # bits of srv_admin_state: forced, inherited, or by the configuration
_DRAINED = 0x08 | 0x10  # bits of srv_admin_state: the server's own, or inherited from a server that it tracks


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server of a backend; ``weight`` is its share relative to the others, 0 to 256."""

    name: str
    weight: int
    usable: bool
    """Healthy, and neither drained nor in maintenance."""
    up: bool = True
    """Healthy, drained or not."""
    drained: bool = False
    """Taken out of the traffic by hand or by an action, healthy or not; persistence still leads there."""
    maintained: bool = False
    """In maintenance: it gets no request and is not checked, and persistence does not lead there."""
    has_check: bool = False
    checked: bool = False
    """The health check is on; without it a server counts as up."""


@dataclass(frozen=True, kw_only=True)
class RuntimeSocket:
    """One backend behind a runtime socket: a path, or ``host:port``; waits ``timeout_s`` for each answer."""

    address: str
    backend: str
    timeout_s: float

    async def servers(self) -> dict[str, Server]:
        """Return all servers by name.

        Raises:
            ActionFailedError: HAProxy cannot be reached, has no such backend, or gives another answer.
        """
        answer = await self.ask(f"show servers state {self.backend}")
        lines = answer.strip().splitlines()
        if len(lines) < 2 or lines[0] != _ANSWER_VERSION or not lines[1].startswith("# "):  # noqa: PLR2004  # version and header
            raise ActionFailedError(
                f"HAProxy did not show the backend {self.backend}: {answer.strip()[:200] or 'no answer'}",
                hint="Check `backend` in the catalogue, and that the socket has `level admin`.",
                code="target_refused",
            )
        header = lines[1].removeprefix("# ").split()
        try:
            found = [_server(dict(zip(header, line.split(), strict=False))) for line in lines[2:]]
        except (KeyError, ValueError) as error:
            raise ActionFailedError(
                f"HAProxy's answer cannot be read: {error}", code="target_garbage"
            ) from error
        return {server.name: server for server in found}

    async def send(self, lines: Sequence[str]) -> str:
        """Send command lines at once; return HAProxy's complaint, empty if it had none.

        Raises:
            ActionFailedError: nothing was sent.
            ActionInDoubtError: no answer came.
        """
        for line in lines:
            _require_one_command(line)
        return " ".join((await self._exchange(";".join(lines))).split()) if lines else ""

    async def ask(self, line: str) -> str:
        """Return the answer to a command that changes nothing.

        Raises:
            ActionFailedError: HAProxy cannot be reached.
        """
        _require_one_command(line)
        try:
            return await self._exchange(line)
        except ActionInDoubtError as error:  # a read changes nothing
            raise ActionFailedError(str(error), code="target_unavailable") from error

    async def _exchange(self, line: str) -> str:
        sent = False
        try:
            async with asyncio.timeout(self.timeout_s):
                reader, writer = await self._connect()
                try:
                    writer.write(f"{line}\n".encode())
                    sent = True
                    await writer.drain()
                    # HAProxy closes after its answer; a shorter read would leave half of it.
                    return (await _whole(reader)).decode(errors="replace")
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            text = f"HAProxy's socket {self.address} did not answer: {type(error).__name__}."
            if sent:
                raise ActionInDoubtError(text) from error
            raise ActionFailedError(
                text,
                hint="Check that HAProxy runs and that the bot may write to its socket.",
                code="target_unavailable",
            ) from error

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, colon, port = self.address.rpartition(":")
        if colon and port.isdigit() and not host.startswith("/"):
            return await asyncio.open_connection(host, int(port))
        return await asyncio.open_unix_connection(self.address)


def _require_one_command(line: str) -> None:
    """Raise an error for a line that HAProxy would read as several commands, or that has a payload.

    Raises:
        ActionFailedError: it has a separator or a control character; nothing was sent.
    """
    if not line.isprintable() or any(sign in line for sign in _SEPARATORS):
        raise ActionFailedError(
            f"{line[:100]!r} is not one command of HAProxy; it was not sent.",
            hint="Check the names of servers, routes and files in it.",
            code="bad_argument",
        )


async def _whole(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < _MOST_BYTES and (part := await reader.read(65_536)):
        answer += part
    return answer


def _server(row: Mapping[str, str]) -> Server:
    up = int(row["srv_op_state"]) in (_STARTING, _RUNNING)
    check = int(row.get("srv_check_state", "0"))
    return Server(
        name=row["srv_name"],
        weight=int(row["srv_uweight"]),
        usable=up and int(row["srv_admin_state"]) == 0,
        up=up,
        drained=bool(int(row["srv_admin_state"]) & _DRAINED),
        maintained=bool(int(row["srv_admin_state"]) & _MAINTAINED),
        has_check=bool(check & _CHECK_CONFIGURED),
        checked=bool(check & _CHECK_ENABLED),
    )
