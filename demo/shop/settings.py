"""The settings of the shop's services: with a type, a history, and a file that the service re-reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.clock import iso, utc_now
from demo.shop.errors import RefusedError

Value = int | str | bool


@dataclass(frozen=True)
class Definition:
    """One setting: its first value fixes its type; a truth value is a flag."""

    default: Value
    meaning: str


DEFINITIONS: dict[str, dict[str, Definition]] = {
    "storefront": {
        "banner": Definition("Free delivery this week", "The line on top of every page."),
        "express_checkout": Definition(default=True, meaning="Buyers may skip the cart."),
    },
    "checkout": {
        "max_cart_items": Definition(50, "How many articles one order may have."),
        "payments_timeout_ms": Definition(2500, "How long to wait for payments."),
    },
    "payments": {
        "bank": Definition("primary", "Which bank authorises charges: primary or backup."),
        "bank_timeout_ms": Definition(2000, "How long to wait for the bank."),
        "fraud_screening": Definition(default=True, meaning="Charges are screened first."),
    },
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version of a setting."""

    version: int
    value: Value
    at: datetime
    author: str

    def to_json(self) -> dict[str, Any]:
        """Write it as the API hands it out."""
        return {"version": self.version, "value": self.value, "at": iso(self.at), "author": self.author}


class SettingsStore:
    """Every setting with all its versions; the files in ``folder`` hold the values in force."""

    def __init__(self, folder: Path, ledger: ShopChangeLedger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._entries: dict[tuple[str, str], list[Entry]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for service, definitions in DEFINITIONS.items():
            for key, definition in definitions.items():
                first = Entry(version=1, value=definition.default, at=utc_now(), author="shop")
                self._entries[service, key] = [first]
            self._write(service)

    def path(self, service: str) -> Path | None:
        """Return the file that a service re-reads; none when it has no settings."""
        return self._folder / f"{service}.json" if service in DEFINITIONS else None

    def get(self, service: str, key: str) -> Entry:
        """Read the value in force.

        Raises:
            RefusedError: the setting does not exist (404).
        """
        return self.history(service, key)[-1]

    def history(self, service: str, key: str) -> list[Entry]:
        """List all versions, oldest first.

        Raises:
            RefusedError: the setting does not exist (404).
        """
        if (service, key) not in self._entries:
            raise RefusedError(404, "unknown_setting", f"Unknown setting: {service}/{key}.")
        return self._entries[service, key]

    def of_service(self, service: str) -> dict[str, Value]:
        """List a service's values in force."""
        return {key: self.get(service, key).value for key in DEFINITIONS.get(service, {})}

    def put(
        self, service: str, key: str, value: object, *, author: str, reason: str = "", expect: object = ...
    ) -> tuple[Entry, Entry]:
        """Change a setting, unless its value is not what the caller ``expect``s it to be.

        Returns:
            The versions before and after; the same one twice when the value was already in force.

        Raises:
            RefusedError: no such setting (404), a value of another type (422), or not as expected (409).
        """
        before = self.get(service, key)
        kind = type(before.value)
        if not isinstance(value, int | str) or type(value) is not kind:
            raise RefusedError(422, "wrong_type", f"{service}/{key} takes a value of type {kind.__name__}.")
        if expect is not ... and (type(expect) is not kind or expect != before.value):
            message = f"{service}/{key} is {before.value!r}, not {expect!r}."
            raise RefusedError(409, "not_as_expected", message, current=before.to_json())
        if value == before.value:
            return before, before
        after = Entry(version=before.version + 1, value=value, at=utc_now(), author=author)
        self._entries[service, key].append(after)
        self._write(service)
        self._ledger.setting(
            service, key, before=before.value, after=after.value, author=author, reason=reason
        )
        return before, after

    def _write(self, service: str) -> None:
        path = self._folder / f"{service}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(self.of_service(service)), encoding="utf-8")
        fresh.replace(path)  # in one step: a service never reads half a file
