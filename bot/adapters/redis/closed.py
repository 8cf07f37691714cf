"""Connections that are closed while redis-py uses them count as a server out of reach."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from redis.exceptions import ConnectionError as ServerLostError


@contextlib.contextmanager
def closed_is_lost() -> Iterator[None]:
    """Raise ``ServerLostError`` where redis-py uses a connection that was closed meanwhile.

    redis-py forgets a connection's reader and writer when it closes it, also while another task opens it,
    writes to it or reads from it.  That task then fails with an ``AttributeError`` of ``NoneType``, which
    redis-py's own retries do not know.
    """
    try:
        yield
    except AttributeError as error:
        raise ServerLostError(f"the connection was closed while it was used: {error}") from error
