"""What people read of an address holds nothing that lets anybody in."""

from __future__ import annotations

import pytest

from bot.domain.address import without_login


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://prometheus:9090/api/v1/query", "http://prometheus:9090/api/v1/query"),
        ("https://ana:secret@prom.example/x?token=secret#secret", "https://prom.example/x"),
        ("https://ana:sec@ret@prom.example/", "https://prom.example/"),
        ("http://[secret", "an invalid address"),
    ],
)
def test_an_address_is_told_without_its_login(url, told):
    assert without_login(url) == told
