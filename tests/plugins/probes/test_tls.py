"""The certificate probe against real TLS servers with good, old, foreign, unknown and missing certificates."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.domain.clock import SystemClock
from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.tls import days_left
from tests.support.servers import free_port

NAME = "shop.example"
DAY = timedelta(days=1)


def now() -> datetime:
    return SystemClock().now()


@contextlib.asynccontextmanager
async def tls_server(context: ssl.SSLContext | None, says: bytes = b"") -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            writer.write(says)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


async def look(context, server: ssl.SSLContext, **source: str) -> Measurement:
    async with tls_server(server) as address:
        ctx = context({"name": "shop", "sources": {"tls": {"address": address, "name": NAME, **source}}})
        return await days_left(ctx, service="shop")


async def test_a_good_certificate_tells_the_days_it_has_left(context, ca, ca_file):
    certificate = ca.issue_cert(NAME, "www.shop.example", not_after=now() + 30 * DAY)
    seen = await look(context, presenting(certificate), ca=ca_file)
    assert seen.value == pytest.approx(30, abs=0.01)
    assert seen.unit == "days"
    assert seen.data["problem"] == ""
    assert seen.data["names"] == [NAME, "www.shop.example"]
    assert "trustme" in seen.data["issuer"]


async def test_an_expired_certificate_is_so_many_days_below_nought(context, ca, ca_file):
    certificate = ca.issue_cert(NAME, not_before=now() - 9 * DAY, not_after=now() - 2 * DAY)
    seen = await look(context, presenting(certificate), ca=ca_file)
    assert seen.value == pytest.approx(-2, abs=0.01)
    assert seen.data["problem"] == "expired"
    assert "the certificate expired" in seen.text


async def test_a_certificate_for_another_name_is_refused_today_and_says_for_whom_it_is(context, ca, ca_file):
    certificate = ca.issue_cert("other.example", not_after=now() + 30 * DAY)
    seen = await look(context, presenting(certificate), ca=ca_file)
    assert (seen.value, seen.data["problem"]) == (0, "name")
    assert seen.data["own_days_left"] == pytest.approx(30, abs=0.01)
    assert "is for other.example, not for shop.example" in seen.text


async def test_a_certificate_that_is_not_valid_yet_is_refused_today(context, ca, ca_file):
    certificate = ca.issue_cert(NAME, not_before=now() + 2 * DAY, not_after=now() + 30 * DAY)
    seen = await look(context, presenting(certificate), ca=ca_file)
    assert (seen.value, seen.data["problem"]) == (0, "not_yet")


async def test_an_authority_nobody_knows_is_refused_today(context, ca):
    seen = await look(context, presenting(ca.issue_cert(NAME, not_after=now() + 30 * DAY)))
    assert (seen.value, seen.data["problem"]) == (0, "untrusted")
    assert "is refused: " in seen.text


def self_signed(folder: Path, name: str, *, days: int) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - 30 * DAY)
        .not_valid_after(now() + days * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_a_self_signed_certificate_counts_only_where_the_catalogue_says_so(context, tmp_path):
    server = self_signed(tmp_path, NAME, days=20)
    assert (await look(context, server)).data["problem"] == "untrusted"
    allowed = await look(context, server, self_signed="yes")
    assert (allowed.value, allowed.data["problem"]) == (pytest.approx(20, abs=0.01), "")


async def test_a_self_signed_certificate_must_still_be_in_date_and_for_the_name(context, tmp_path):
    old = await look(context, self_signed(tmp_path, NAME, days=-3), self_signed="yes")
    assert (old.value, old.data["problem"]) == (pytest.approx(-3, abs=0.01), "expired")
    foreign = await look(context, self_signed(tmp_path, "other.example", days=20), self_signed="yes")
    assert (foreign.value, foreign.data["problem"]) == (0, "name")


async def test_an_authority_that_expired_above_a_good_certificate_is_refused_today(context, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old Root")])

    def signed(name: x509.Name, owner: Any, *, days: int, authority: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(subject)
            .public_key(owner.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - 30 * DAY)
            .not_valid_after(now() + days * DAY)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        return builder.sign(key, hashes.SHA256())

    leaf_key = ec.generate_private_key(ec.SECP256R1())
    root = signed(subject, key, days=-1, authority=True)
    leaf = signed(x509.Name([]), leaf_key, days=40, authority=False)
    pem = serialization.Encoding.PEM
    private = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "server.pem").write_bytes(private + leaf.public_bytes(pem))
    (tmp_path / "root.pem").write_bytes(root.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server.pem")
    seen = await look(context, server, ca=str(tmp_path / "root.pem"))
    assert (seen.value, seen.data["problem"]) == (0, "untrusted")
    assert "above this one has expired" in seen.text


def tls_at(address: str, **source: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"tls": {"address": address, **source}}}


async def test_nobody_there_is_unavailable_and_says_nothing_about_the_certificate(context):
    with pytest.raises(ProbeUnavailableError, match="refused") as failed:
        await days_left(context(tls_at(f"127.0.0.1:{free_port()}")), service="shop")
    assert not isinstance(failed.value, ProbeGarbageError)


async def test_a_server_that_hangs_is_unavailable_in_time(context):
    async with tls_server(None) as address:
        with pytest.raises(ProbeUnavailableError, match="did not answer within"):
            await days_left(context(tls_at(address), timeout_s=0.4), service="shop")


async def test_a_server_of_another_kind_is_garbage(context):
    async with tls_server(None, says=b"220 mail.example ESMTP\r\n") as address:
        with pytest.raises(ProbeGarbageError):
            await days_left(context(tls_at(address)), service="shop")


@pytest.mark.parametrize(
    "source", [{"address": "shop.example"}, {"address": "127.0.0.1:1", "ca": "/no/such/file.pem"}]
)
async def test_without_an_address_or_its_authorities_the_probe_is_not_configured(context, source):
    with pytest.raises(ProbeNotConfiguredError):
        await days_left(context({"name": "shop", "sources": {"tls": source}}), service="shop")
