"""Looks at the dead-man switch: whether `web` can answer for the leases that the catalogue speaks of."""

from __future__ import annotations

from pydantic import SecretStr

from bot.domain.catalogue import Catalogue
from bot.domain.checkup import CheckupItem, good, wrong

_FEW = 16
"""A token of fewer letters can be guessed."""


def check_leases(catalogue: Catalogue, *, token: SecretStr | None) -> tuple[CheckupItem, ...]:
    """Compare the catalogue with the settings; nothing to say where no canary hangs on a lease.  Pure."""
    leased = [one.name for one in catalogue.services if one.target.get("haproxy", {}).get("lease")]
    if not leased:
        return ()
    told = ", ".join(leased)
    if token is None:
        todo = "Set PILOTHOUSE_LEASE_TOKEN for `web`, and have the balancer send it."
        return (wrong("leases", f"there is no token, so no canary of {told} has traffic", todo=todo),)
    if len(token.get_secret_value()) < _FEW:
        todo = f"Take a random one of {_FEW} letters or more, as `openssl rand -hex 16` makes."
        return (wrong("leases", "the token is so short that it can be guessed", todo=todo),)
    return (good("leases", f"are answered for, with a token ({told})"),)
