"""Checks that the catalogue's sources and targets accept connections."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from bot.domain.catalogue import Catalogue
from bot.domain.checkup import CheckupItem, doubtful, good

_PORTS = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432, "redis": 6379, "rediss": 6379}
_WAIT_S = 3.0

Place = tuple[str, int]


def places_of(catalogue: Catalogue) -> dict[Place, list[str]]:
    """Return the hosts and ports in the catalogue's URLs, each with the entries that name it."""
    places: dict[Place, list[str]] = {}
    for service in catalogue.services:
        for kind, fields in (*service.sources.items(), *service.target.items()):
            for value in fields.values():
                if (place := _place(value)) is not None:
                    names = places.setdefault(place, [])
                    names += [name for name in (f"{service.name}.{kind}",) if name not in names]
    return places


def _place(value: str) -> Place | None:
    """Return host and port of a URL, never its login; none if it is not a URL of a known kind."""
    try:
        url = urlsplit(value)
        port = url.port or _PORTS.get(url.scheme)
    except ValueError:
        return None
    return (url.hostname, port) if url.hostname and port else None


async def check_sources(catalogue: Catalogue) -> tuple[CheckupItem, ...]:
    """Open a connection to every place and close it; an unreachable source does not stop the bot."""
    places = places_of(catalogue)
    return tuple(await asyncio.gather(*(_look(place, names) for place, names in places.items())))


async def _look(place: Place, names: list[str]) -> CheckupItem:
    host, port = place
    name = f"source {host}:{port}"
    told = ", ".join(names)
    try:
        async with asyncio.timeout(_WAIT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        todo = f"Check that it is up, and the catalogue; without it {told} cannot be read or changed."
        return doubtful(name, f"does not answer: {type(error).__name__}", todo=todo)
    writer.close()
    return good(name, f"answers ({told})")
