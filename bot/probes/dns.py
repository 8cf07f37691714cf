"""Looks names up in DNS."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

import dns.asyncresolver
import dns.exception
import dns.inet
import dns.name
import dns.nameserver
import dns.resolver

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import figure, listed
from bot.engine.plugins import Context, probe
from bot.probes._shared.connect import SHARE_OF_TIME, host_and_port


@probe(specialist="network")
async def resolve(
    ctx: Context,
    *,
    service: str,
    record: Literal["A", "AAAA", "CNAME", "MX", "NS", "SRV", "TXT"] = "A",
    expected: tuple[str, ...] = (),
) -> Measurement:
    """How many answers a name has; 0 if it has none, or if they are not exactly the ``expected`` ones.

    Looks up the ``record`` of ``name`` in the service's ``dns`` source, at its ``server``
    (``address:port``), or at the system's name server if there is none.  ``data`` holds ``answers``,
    ``missing``, ``unexpected``, ``ttl_s`` and ``took_s``.

    Raises:
        ProbeNotConfiguredError: the ``dns`` source has no ``name``, or its ``server`` is not an address.
        ProbeUnavailableError: no server answered, or each reported a failure; the name may still exist.
    """
    source = ctx.source(service, "dns")
    name = _name(source, service=service)
    resolver = _resolver(source, service=service)
    started = time.perf_counter()
    answers, ttl_s = await _ask(resolver, name, record=record, limit_s=ctx.timeout_s * SHARE_OF_TIME)
    took_s = time.perf_counter() - started
    missing = sorted(set(map(_bare, expected)) - set(answers))
    unexpected = sorted(set(answers) - set(map(_bare, expected))) if expected else []
    text = listed(answers, most=4) or "no answer"
    if missing or unexpected:
        text += f", expected {listed(sorted(map(_bare, expected)), most=4)}"
    return Measurement(
        value=0.0 if missing or unexpected else float(len(answers)),
        unit="answers",
        at=ctx.clock.now(),
        query=f"{name} {record}",
        text=f"{service}: {name} {record}: {text} (after {figure(took_s, 's')})",
        data={
            "answers": list(answers),
            "missing": list(missing),
            "unexpected": list(unexpected),
            "ttl_s": ttl_s,
            "took_s": round(took_s, 4),
        },
    )


def _name(source: Mapping[str, str], *, service: str) -> dns.name.Name:
    try:
        if source.get("name"):
            return dns.name.from_text(source["name"])
    except dns.exception.DNSException as error:
        raise ProbeNotConfiguredError(f"`dns.name` of {service} is not a valid host name.") from error
    raise ProbeNotConfiguredError(f"The `dns` source of {service} has no `name`.")


def _resolver(source: Mapping[str, str], *, service: str) -> dns.asyncresolver.Resolver:
    server = source.get("server", "")
    if not server:
        try:
            return dns.asyncresolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise ProbeUnavailableError("No name server is configured on this system.") from error
    address, port = host_and_port(server, what=f"`dns.server` of {service}")
    if not dns.inet.is_address(address):
        raise ProbeNotConfiguredError(f"`dns.server` of {service} must be an address, such as `10.0.0.2:53`.")
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(address, port)]
    return resolver


async def _ask(
    resolver: dns.asyncresolver.Resolver, name: dns.name.Name, *, record: str, limit_s: float
) -> tuple[tuple[str, ...], int]:
    """Return the answers, sorted, and how long they may be cached, in seconds."""
    try:
        answer = await resolver.resolve(name, record, lifetime=limit_s, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        return (), 0
    except dns.exception.Timeout as error:
        raise ProbeUnavailableError(f"No name server answered within {figure(limit_s, 's')}.") from error
    except dns.resolver.NoNameservers as error:
        raise ProbeUnavailableError(
            f"No name server answered for {name}, or each reported a failure."
        ) from error
    except (dns.exception.DNSException, OSError) as error:
        raise ProbeUnavailableError(f"{name} could not be looked up: {type(error).__name__}.") from error
    if answer.rrset is None:
        return (), 0
    return tuple(sorted(_bare(item.to_text()) for item in answer.rrset)), int(answer.rrset.ttl)


def _bare(text: str) -> str:
    """Return an answer without the root's dot and without a text's quotes, in lower case."""
    return text.strip('"').rstrip(".").lower()
