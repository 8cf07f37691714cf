"""What tax an order pays; release 1.4.2 rewrote it and forgot the countries outside the Union."""

from __future__ import annotations

from collections.abc import Callable

Rate = Callable[[str], int]

BROKEN_RELEASE = "1.4.2"

_RATES_PERMILLE = {
    "DE": 190,
    "FR": 200,
    "NL": 210,
    "ES": 210,
    "IT": 220,
    "GB": 200,
    "CH": 81,
    "NO": 250,
}
_UNION = ("DE", "FR", "NL", "ES", "IT")
_UNION_RATES_PERMILLE = {country: _RATES_PERMILLE[country] for country in _UNION}

COUNTRIES = tuple(_RATES_PERMILLE)
"""Where the shop delivers."""


def country_rate(country: str) -> int:
    """Look up a country's rate, in thousandths of the net price."""
    return _RATES_PERMILLE[country]


def union_rate(country: str) -> int:
    """Look up a rate as release 1.4.2 does, in thousandths of the net price.

    Raises:
        KeyError: the country is outside the Union: this is the fault of that release.
    """
    return _UNION_RATES_PERMILLE[country]


def rate_of_release(version: str) -> Rate:
    """Choose the tax code that a release of checkout ships."""
    return union_rate if version == BROKEN_RELEASE else country_rate


def with_tax(net_cents: int, country: str, rate: Rate) -> int:
    """Add the tax to a net price, in cents, rounded down."""
    return net_cents + net_cents * rate(country) // 1000
