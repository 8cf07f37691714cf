"""Checks the certificate that a TLS server presents."""

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
class _Endpoint:
    host: str
    port: int
    name: str
    """The server name that clients use and that the certificate must cover."""
    ca: str
    self_signed: bool


@dataclass(frozen=True, kw_only=True)
class _CertificateCheck:
    certificate: x509.Certificate
    code: int = 0
    """OpenSSL's verdict; 0 if clients accept the certificate."""
    why: str = ""


@probe(specialist="network")
async def days_left(ctx: Context, *, service: str) -> Measurement:
    """Days for which clients will still accept a server's certificate; 0 or less once they refuse it.

    Connects to ``address`` (``host:port``) of the service's ``tls`` source as ``name`` (default: the host)
    and checks the chain against the system's authorities, or those in the file ``ca``; with
    ``self_signed: "yes"`` the certificate is its own authority.  A certificate that expired two days ago is
    -2.  One for another name, from an unknown authority, or below an expired one is refused today: 0,
    whatever its own date.  ``data`` holds ``problem`` (``expired``, ``not_yet``, ``name``, ``untrusted``),
    ``expires_at``, ``own_days_left``, ``names`` and ``issuer``.

    Raises:
        ProbeNotConfiguredError: the service has no ``tls`` source with an ``address``, or no ``ca`` file.
        ProbeUnavailableError: no server answers there; the certificate may still be valid.
        ProbeGarbageError: the server does not speak TLS.
    """
    place = _place(ctx.source(service, "tls"), service=service)
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    where = f"{place.host}:{place.port}"
    try:
        async with asyncio.timeout(limit_s):
            seen = await _look(place)
    except TimeoutError as error:
        raise ProbeUnavailableError(f"{where} did not answer within {figure(limit_s, 's')}.") from error
    except (ssl.SSLError, ConnectionResetError, EOFError) as error:
        raise ProbeGarbageError(f"{where} does not speak TLS as expected.") from error
    except OSError as error:
        _, why = problem_of(error, host=place.host)
        raise ProbeUnavailableError(f"{where} presented no certificate: {why}.") from error
    return _measured(seen, place, at=ctx.clock.now(), service=service)


def _place(source: Mapping[str, str], *, service: str) -> _Endpoint:
    host, port = host_and_port(source.get("address", ""), what=f"`tls.address` of {service}")
    self_signed = source.get("self_signed", "").lower() in _YES
    return _Endpoint(
        host=host, port=port, name=source.get("name", host), ca=source.get("ca", ""), self_signed=self_signed
    )


async def _look(place: _Endpoint) -> _CertificateCheck:
    """Do a client's handshake; if that fails, one without verification, to get the certificate."""
    if place.self_signed:
        shown = await _shown(place, _blind())
        return await _verified(place, await asyncio.to_thread(_trusting, ssl.DER_cert_to_PEM_cert(shown)))
    return await _verified(place, await asyncio.to_thread(_authorities, place.ca))


async def _verified(place: _Endpoint, context: ssl.SSLContext) -> _CertificateCheck:
    try:
        return _CertificateCheck(certificate=_parsed(await _shown(place, context)))
    except ssl.SSLCertVerificationError as error:
        shown = await _shown(place, _blind())
        return _CertificateCheck(
            certificate=_parsed(shown), code=error.verify_code, why=error.verify_message.rstrip(".")
        )


async def _shown(place: _Endpoint, context: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection(place.host, place.port, ssl=context, server_hostname=place.name)
    try:
        shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    if not shown:
        raise ProbeGarbageError(f"{place.host}:{place.port} presented no certificate.")
    return shown


def _parsed(shown: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(shown)
    except ValueError as error:
        raise ProbeGarbageError("The certificate that the server presented cannot be read.") from error


def _authorities(ca: str) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities, or those in a file.  Slow: run in a thread."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise ProbeNotConfiguredError(f"The certificate authorities in `{ca}` cannot be read.") from error


def _trusting(pem: str) -> ssl.SSLContext:
    """Return a context that trusts only this certificate; its name and dates are still checked."""
    context = ssl.create_default_context(cadata=pem)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _blind() -> ssl.SSLContext:
    """Return a context that accepts any certificate, to read it; nothing is sent over such a connection."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _measured(seen: _CertificateCheck, place: _Endpoint, *, at: datetime, service: str) -> Measurement:
    expires_at = seen.certificate.not_valid_after_utc
    own_days = (expires_at - at).total_seconds() / _DAY_S
    problem, why = _problem(seen, place, own_days=own_days)
    refused = problem not in {"", "expired"}
    value = 0.0 if refused else own_days
    text = why or f"the certificate is valid for another {duration(own_days * _DAY_S)}"
    return Measurement(
        value=value,
        unit="days",
        at=at,
        text=f"{service}: {place.host}:{place.port}: {text}",
        data={
            "problem": problem,
            "expires_at": expires_at.isoformat(),
            "own_days_left": round(own_days, 3),
            "names": list(_names(seen.certificate)),
            "issuer": seen.certificate.issuer.rfc4514_string(),
        },
    )


def _problem(seen: _CertificateCheck, place: _Endpoint, *, own_days: float) -> tuple[str, str]:
    """Return why clients refuse the certificate, as a code and as text; pure."""
    if seen.code in _OTHER_NAME:
        names = listed(_names(seen.certificate), most=4) or "no host name"
        return "name", f"the certificate is for {names}, not for {place.name}"
    if seen.code == _NOT_YET_VALID:
        return (
            "not_yet",
            f"the certificate is not valid before {seen.certificate.not_valid_before_utc:%Y-%m-%d}",
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
