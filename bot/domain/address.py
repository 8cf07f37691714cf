"""Addresses as people may read them."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def without_login(url: str) -> str:
    """Return an address without user name, password, query and fragment, which readers need not know."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an invalid address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
