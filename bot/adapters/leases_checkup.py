"""Checks the dead-man switch: whether `web` can answer for the leases that the catalogue uses."""

from __future__ import annotations

from pydantic import SecretStr

from bot.domain.catalogue import Catalogue
from bot.domain.checkup import CheckupItem, good, wrong

_FEW = 16
"""A token with fewer characters can be guessed."""


def check_leases(catalogue: Catalogue, *, token: SecretStr | None) -> tuple[CheckupItem, ...]:
    """Compare the catalogue with the settings; return nothing if no canary needs a lease.  Pure."""
    leased = [one.name for one in catalogue.services if one.target.get("haproxy", {}).get("lease")]
    if not leased:
        return ()
    told = ", ".join(leased)
    if token is None:
        todo = "Set PILOTHOUSE_LEASE_TOKEN for `web`, and configure the load balancer to send it."
        return (wrong("leases", f"no token is set, so no canary of {told} gets traffic", todo=todo),)
    if len(token.get_secret_value()) < _FEW:
        todo = f"Use a random one of {_FEW} characters or more, such as from `openssl rand -hex 16`."
        return (wrong("leases", "the token is short enough to be guessed", todo=todo),)
    return (good("leases", f"are served, with a token ({told})"),)
