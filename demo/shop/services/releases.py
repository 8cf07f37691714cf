"""What the releases of the shop's services are like: every version that can be launched, and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OLD_BUG = "WELCOME10"
"""A coupon that every release stumbles over."""
NEW_BUG = "SPRING"
"""A coupon that only some releases stumble over."""


@dataclass(frozen=True, kw_only=True)
class ShopRelease:
    """One version of a service: what is new, and what is wrong with it."""

    summary: str = ""
    error_share: float = 0.0
    """Share of the requests that fail, 0 to 1."""
    slowness: float = 1.0
    """How many times as long an answer takes as it would otherwise."""
    broken_coupons: frozenset[str] = frozenset({OLD_BUG})
    comes_up: bool = True
    """Whether its health page ever answers that it is healthy."""
    country_column: str = "country"
    """Where it writes an order's country; 1.7.0 has another column for it."""
    keeps_contact: bool = False
    """Whether it writes ``orders.contact``, which the schema of 1.6.0 brings."""


CHECKOUT: Mapping[str, ShopRelease] = {
    "1.4.0": ShopRelease(summary="Receipts by mail"),
    "1.4.1": ShopRelease(summary="Clearer wording on receipts"),
    "1.4.2": ShopRelease(summary="Tax rates by region; those outside the Union were forgotten"),
    "1.4.3": ShopRelease(summary="Tax rates by region, complete"),
    "1.5.0": ShopRelease(summary="Gift wrapping"),
    "1.5.1": ShopRelease(summary="Gift wrapping, and one order in five fails", error_share=0.2),
    "1.5.2": ShopRelease(
        summary="Gift wrapping, and the errors double", broken_coupons=frozenset({OLD_BUG, NEW_BUG})
    ),
    "1.5.3": ShopRelease(summary="Gift wrapping, and answers take 1.6 times as long", slowness=1.6),
    "1.5.4": ShopRelease(summary="Gift wrapping that never comes up", comes_up=False),
    "1.5.5": ShopRelease(summary="Gift wrapping, in paper of choice"),
    "1.6.0": ShopRelease(summary="Orders keep a contact; needs its schema", keeps_contact=True),
    "1.7.0": ShopRelease(
        summary="The country has another column, the old one is dropped; needs its schema",
        country_column="ship_to",
    ),
}

RELEASES: Mapping[str, Mapping[str, ShopRelease]] = {
    "checkout": CHECKOUT,
    "catalog": {
        "2.0.4": ShopRelease(summary="Pictures of teapots"),
        "2.1.0": ShopRelease(summary="Articles by season"),
        "2.1.1": ShopRelease(summary="Articles by season, and it never comes up", comes_up=False),
    },
    "receipts": {
        "1.2.0": ShopRelease(summary="Receipts as PDF"),
        "1.3.0": ShopRelease(summary="Receipts in Dutch"),
        "1.3.2": ShopRelease(summary="Receipts in Dutch and Danish"),
        "1.3.1": ShopRelease(summary="Receipts in Dutch, and a third of them fail", error_share=0.33),
    },
    "gift-cards": {
        "1.0.0": ShopRelease(summary="Gift cards on paper"),
        "1.1.0": ShopRelease(summary="Gift cards by mail"),
        "1.1.1": ShopRelease(summary="Gift cards by mail, and a third of them fail", error_share=0.33),
    },
    "search": {
        "0.9.1": ShopRelease(summary="Search by name"),
        "1.0.0": ShopRelease(summary="Search by taste"),
        "1.0.1": ShopRelease(summary="Search by taste, and a fifth of the questions fail", error_share=0.2),
    },
}


def release_of(service: str, version: str) -> ShopRelease:
    """Return what a version is like; one that is not listed has no fault of its own."""
    return RELEASES.get(service, {}).get(version, ShopRelease())
