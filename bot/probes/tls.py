"""Looks at the certificate that a TLS server shows."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, figure, listed
from bot.engine.plugins import Context, probe
from bot.probes._shared.connect import SHARE_OF_TIME, host_and_port, problem_of

_DAY_S = 86_400
# What OpenSSL's X509_V_ERR_… numbers mean (openssl-verification-options(1)).
_NOT_YET_VALID = 9
_EXPIRED = 10
_OTHER_NAME = frozenset({62, 64})
_YES = frozenset({"yes", "true", "1"})


@dataclass(frozen=True, kw_only=True)
class _Place:
    host: str
    port: int
    name: str
    """The name that clients ask for, and that the certificate must be for."""
    ca: str
    self_signed: bool


@dataclass(frozen=True, kw_only=True)
class _Seen:
    certificate: x509.Certificate
    code: int = 0
    """OpenSSL's verdict; 0 if clients accept the certificate."""
    why: str = ""


@probe(specialist="network")
async def days_left(ctx: Context, *, service: str) -> Measurement:
    """Days for which clients go on accepting a server's certificate; 0 or less once they refuse it.

    Asks ``address`` (``host:port``) of the service's ``tls`` source for ``name`` (else the host) and checks
    the chain against the system's authorities, or those in the file ``ca``; with ``self_signed: "yes"`` the
    certificate stands for itself.  Expired by two days is -2.  A certificate for another name, of an unknown
    authority, or below an expired one is refused today: 0, whatever its own date.  ``data`` holds
    ``problem`` (``expired``, ``not_yet``, ``name``, ``untrusted``), ``expires_at``, ``own_days_left``,
    ``names`` and ``issuer``.

    Raises:
        ProbeNotConfiguredError: the service has no ``tls`` source with an ``address``, or no ``ca`` file.
        ProbeUnavailableError: nothing answers there; that says nothing about the certificate.
        ProbeGarbageError: what answers does not speak TLS.
    """
    place = _place(ctx.source(service, "tls"), service=service)
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    where = f"{place.host}:{place.port}"
    try:
        async with asyncio.timeout(limit_s):
            seen = await _look(place)
    except TimeoutError as error:
        raise ProbeUnavailableError(f"{where} does not answer within {figure(limit_s, 's')}.") from error
    except (ssl.SSLError, ConnectionResetError, EOFError) as error:
        raise ProbeGarbageError(f"{where} does not speak TLS as expected.") from error
    except OSError as error:
        _, why = problem_of(error, host=place.host)
        raise ProbeUnavailableError(f"{where} shows no certificate: {why}.") from error
    return _measured(seen, place, at=ctx.clock.now(), service=service)


def _place(source: Mapping[str, str], *, service: str) -> _Place:
    host, port = host_and_port(source.get("address", ""), what=f"`tls.address` of {service}")
    self_signed = source.get("self_signed", "").lower() in _YES
    return _Place(
        host=host, port=port, name=source.get("name", host), ca=source.get("ca", ""), self_signed=self_signed
    )


async def _look(place: _Place) -> _Seen:
    """Shake hands as a client would; where that fails, once more without judging, for the certificate."""
    if place.self_signed:
        shown = await _shown(place, _blind())
        return await _verified(place, await asyncio.to_thread(_trusting, ssl.DER_cert_to_PEM_cert(shown)))
    return await _verified(place, await asyncio.to_thread(_authorities, place.ca))


async def _verified(place: _Place, context: ssl.SSLContext) -> _Seen:
    try:
        return _Seen(certificate=_parsed(await _shown(place, context)))
    except ssl.SSLCertVerificationError as error:
        shown = await _shown(place, _blind())
        return _Seen(certificate=_parsed(shown), code=error.verify_code, why=error.verify_message.rstrip("."))


async def _shown(place: _Place, context: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection(place.host, place.port, ssl=context, server_hostname=place.name)
    try:
        shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    if not shown:
        raise ProbeGarbageError(f"{place.host}:{place.port} shows no certificate.")
    return shown


def _parsed(shown: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(shown)
    except ValueError as error:
        raise ProbeGarbageError("The certificate that is shown cannot be read.") from error


def _authorities(ca: str) -> ssl.SSLContext:
    """Trust the system's authorities, or those in a file; reading them takes a while, so in a thread."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ProbeNotConfiguredError(f"The authorities in `{ca}` cannot be read.") from error


def _trusting(pem: str) -> ssl.SSLContext:
    """Trust this certificate alone; its name and its dates are checked all the same."""
    context = ssl.create_default_context(cadata=pem)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _blind() -> ssl.SSLContext:
    """Accept whatever is shown, to read it; nothing is ever sent over such a connection."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _measured(seen: _Seen, place: _Place, *, at: datetime, service: str) -> Measurement:
    expires_at = seen.certificate.not_valid_after_utc
    own_days = (expires_at - at).total_seconds() / _DAY_S
    problem, why = _problem(seen, place, own_days=own_days)
    refused = problem not in {"", "expired"}
    value = 0.0 if refused else own_days
    said = why or f"the certificate is good for another {duration(own_days * _DAY_S)}"
    return Measurement(
        value=value,
        unit="days",
        at=at,
        text=f"{service}: {place.host}:{place.port}: {said}",
        data={
            "problem": problem,
            "expires_at": expires_at.isoformat(),
            "own_days_left": round(own_days, 3),
            "names": list(_names(seen.certificate)),
            "issuer": seen.certificate.issuer.rfc4514_string(),
        },
    )


def _problem(seen: _Seen, place: _Place, *, own_days: float) -> tuple[str, str]:
    """Say what clients object to, as a word and in words; pure."""
    if seen.code in _OTHER_NAME:
        names = listed(_names(seen.certificate), most=4) or "nobody"
        return "name", f"the certificate is for {names}, not for {place.name}"
    if seen.code == _NOT_YET_VALID:
        return (
            "not_yet",
            f"the certificate is valid only from {seen.certificate.not_valid_before_utc:%Y-%m-%d} on",
        )
    if own_days <= 0:
        return "expired", f"the certificate expired {duration(-own_days * _DAY_S)} ago"
    if seen.code == _EXPIRED:
        return "untrusted", "a certificate above this one has expired"
    if seen.code:
        return "untrusted", f"the certificate is refused: {seen.why}"
    return "", ""


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = names.get_values_for_type(x509.DNSName)
    return (*hosts, *(str(address) for address in names.get_values_for_type(x509.IPAddress)))
