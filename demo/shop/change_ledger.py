"""The shop's change ledger: every deploy, setting change, flag flip and restart, oldest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from demo.shop.clock import iso, utc_now

Kind = Literal["deploy", "rollback", "config", "flag", "restart"]


@dataclass(frozen=True, kw_only=True)
class ShopChange:
    """One record; ``data`` holds what a program needs to take it back."""

    id: str
    at: datetime
    kind: Kind
    service: str
    summary: str
    author: str
    before: str = ""
    after: str = ""
    link: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Write it as the API hands it out."""
        record: dict[str, Any] = {
            "id": self.id,
            "at": iso(self.at),
            "kind": self.kind,
            "service": self.service,
            "summary": self.summary,
            "author": self.author,
            "before": self.before,
            "after": self.after,
            "data": dict(self.data),
        }
        return {**record, "link": self.link} if self.link else record


class ShopChangeLedger:
    """Append only; ``base_url`` is where a record's link leads."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._changes: list[ShopChange] = []

    def deploy(
        self, service: str, *, version: str, previous: str, author: str, summary: str = ""
    ) -> ShopChange:
        """Record that ``service`` now runs ``version``."""
        return self._record(
            "deploy",
            service,
            summary or f"Deployed {service} {version}",
            author,
            before=previous,
            after=version,
            data={"version": version, "previous_version": previous},
        )

    def rollback(self, service: str, *, version: str, previous: str, author: str) -> ShopChange:
        """Record that ``service`` went back to ``version``."""
        return self._record(
            "rollback",
            service,
            f"Rolled {service} back from {previous} to {version}",
            author,
            before=previous,
            after=version,
            data={"version": version, "previous_version": previous},
        )

    def setting(
        self,
        service: str,
        key: str,
        *,
        before: Any,  # noqa: ANN401
        after: Any,  # noqa: ANN401
        author: str,
        reason: str,
    ) -> ShopChange:  # any JSON value
        """Record that a setting or, when it is a truth value, a flag has changed."""
        why = f": {reason}" if reason else ""
        return self._record(
            "flag" if isinstance(after, bool) else "config",
            service,
            f"Changed {service}/{key} from {before} to {after}{why}",
            author,
            before=str(before),
            after=str(after),
            data={"key": key, "before": before, "after": after},
        )

    def restart(self, service: str, *, author: str) -> ShopChange:
        """Record that ``service`` was restarted at the version it had."""
        return self._record("restart", service, f"Restarted {service}", author)

    def since(self, moment: datetime | None, *, service: str = "") -> list[ShopChange]:
        """List the changes at or after ``moment``, of one service or of all, oldest first."""
        return [
            change
            for change in self._changes
            if (moment is None or change.at >= moment) and service in {"", change.service}
        ]

    def get(self, change_id: str) -> ShopChange | None:
        """Find one record."""
        return next((change for change in self._changes if change.id == change_id), None)

    def remember_history(self) -> None:
        """Write down what happened before the shop was opened; all of it is innocent."""
        self._past(
            timedelta(days=6, hours=3),
            kind="deploy",
            service="payments",
            summary="Deployed payments 3.0.2: newer TLS library",
            author="mira",
            before="3.0.1",
            after="3.0.2",
            data={"version": "3.0.2", "previous_version": "3.0.1"},
        )
        self._past(
            timedelta(days=3, hours=5),
            kind="deploy",
            service="checkout",
            summary="Deployed checkout 1.4.1: clearer wording on receipts",
            author="jonas",
            before="1.4.0",
            after="1.4.1",
            data={"version": "1.4.1", "previous_version": "1.4.0"},
        )
        self._past(
            timedelta(days=1, hours=2),
            kind="config",
            service="checkout",
            summary="Changed checkout/max_cart_items from 40 to 50: wholesale buyers asked",
            author="aiko",
            before="40",
            after="50",
            data={"key": "max_cart_items", "before": 40, "after": 50},
        )
        self._past(
            timedelta(hours=21),
            kind="flag",
            service="storefront",
            summary="Changed storefront/express_checkout from False to True: rolled out to everybody",
            author="mira",
            before="False",
            after="True",
            data={"key": "express_checkout", "before": False, "after": True},
        )
        self._past(
            timedelta(minutes=20),
            kind="deploy",
            service="storefront",
            summary="Deployed storefront 2.3.0: autumn colours",
            author="aiko",
            before="2.2.9",
            after="2.3.0",
            data={"version": "2.3.0", "previous_version": "2.2.9"},
        )

    def _past(self, ago: timedelta, **fields: Any) -> None:  # noqa: ANN401  # the fields of a Change
        at = utc_now() - ago
        self._append(at, **fields)

    def _record(self, kind: Kind, service: str, summary: str, author: str, **fields: Any) -> ShopChange:  # noqa: ANN401
        return self._append(utc_now(), kind=kind, service=service, summary=summary, author=author, **fields)

    def _append(self, at: datetime, **fields: Any) -> ShopChange:  # noqa: ANN401  # the fields of a Change
        number = f"shop-{int(at.timestamp() * 1000)}-{len(self._changes) + 1}"
        change = ShopChange(id=number, at=at, link=f"{self._base_url}/changes/{number}", **fields)
        self._changes.append(change)
        return change
