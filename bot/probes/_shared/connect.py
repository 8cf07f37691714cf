"""What every probe that opens a connection needs: its time limit, the address, and why it failed."""

from __future__ import annotations

import socket
import ssl
from typing import Literal

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError

SHARE_OF_TIME = 0.85
"""The share of a step's time that a probe waits, so that the probe itself can report what did not answer."""

Problem = Literal["", "refused", "timeout", "broken", "name", "tls"]
"""Why a connection was not made; ``name``: the host name does not exist."""

_HIGHEST_PORT = 65_535
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def host_and_port(address: str, *, what: str) -> tuple[str, int]:
    """Return host and port from ``host:port`` or ``[IPv6]:port``; ``what`` names the catalogue's field.

    Raises:
        ProbeNotConfiguredError: ``address`` has another form.
    """
    host, colon, port = address.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isascii() or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise ProbeNotConfiguredError(f"{what} must be `host:port`, such as `db.example:5432`.")
    return bare, int(port)


def problem_of(error: BaseException, *, host: str) -> tuple[Problem, str]:
    """Return why a connection failed, as a code and as text.

    Raises:
        ProbeUnavailableError: no name server answered; ``host`` may still exist.
    """
    cause = _name_error(error)
    if cause is not None and cause.errno not in _NO_SUCH_NAME:
        raise ProbeUnavailableError(f"The name {host} cannot be looked up at the moment.") from error
    if cause is not None:
        return "name", f"the name {host} does not exist"
    if caused_by(error, ssl.SSLError) is not None:
        return "tls", _tls_text(error)
    if caused_by(error, ConnectionRefusedError) is not None:
        return "refused", "the connection is refused"
    return "broken", f"the connection fails ({type(error).__name__})"


def unresolved(error: BaseException) -> bool:
    """Return whether a connection failed because the host name could not be looked up."""
    return _name_error(error) is not None


def _name_error(error: BaseException) -> socket.gaierror | None:
    found = caused_by(error, socket.gaierror)
    return found if isinstance(found, socket.gaierror) else None


def _tls_text(error: BaseException) -> str:
    found = caused_by(error, ssl.SSLCertVerificationError)
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {found.verify_message.rstrip('.')}"
    return "it does not speak TLS"


def caused_by(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    """Return the first cause of the given kind behind an error; libraries wrap the system's errors."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        if isinstance(cause, BaseExceptionGroup):  # one failure for each address of a host
            cause = cause.exceptions[0]
        else:
            cause = cause.__cause__ or cause.__context__
    return cause
