"""A feature behind a flag: asks who has it, fails as the feature does, and counts how both kinds fared."""

from __future__ import annotations

import json
import random
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from demo.shop.services.config import ServiceConfig

OFF = "off"
"""What the metrics call those who do not have the feature."""
_PATIENCE_S = 0.3


@dataclass(frozen=True, kw_only=True)
class Feature:
    """What is behind a flag."""

    summary: str
    error_share: float = 0.0
    """Share of the requests of those who have it that fail, 0 to 1."""


FEATURES: Mapping[str, Feature] = {
    "by-taste": Feature(summary="Results ordered by taste"),
    "by-colour": Feature(
        summary="Results ordered by colour, and a fifth of the questions fail", error_share=0.2
    ),
}


class FlaggedFeature:
    """The feature of one process; without a flag no user has it."""

    def __init__(self, config: ServiceConfig) -> None:
        """Ask for flags by OpenFeature's remote evaluation protocol."""
        self.flag = config.feature
        self._service = config.name
        base = config.urls.get("flags", "")
        self._url = f"{base}/ofrep/v1/evaluate/flags/{self.flag}" if base and self.flag else ""
        self._headers = {"Authorization": f"Bearer {config.flags_token}", "Content-Type": "application/json"}
        self._lock = threading.Lock()
        self._counted = Counter(
            {(version, outcome): 0 for version in self._versions for outcome in ("ok", "failed")}
        )

    @property
    def _versions(self) -> tuple[str, ...]:
        return (self.flag, OFF) if self.flag else ()

    def is_on(self, user: str) -> bool:
        """Return whether this user has it; false if the flag cannot be read."""
        if not self._url:
            return False
        body = json.dumps({"context": {"targetingKey": user}}).encode()
        request = urllib.request.Request(self._url, data=body, headers=self._headers)  # noqa: S310  # ours
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
                return json.load(answer)["value"] is True
        except (OSError, ValueError, KeyError):  # a refusal, such as a flag that was never set, is an OSError
            return False

    def fails(self, *, on: bool) -> bool:
        """Return whether this request meets the feature's fault."""
        return on and random.random() < FEATURES[self.flag].error_share

    def count(self, *, on: bool, ok: bool) -> None:
        """Count one request at its end."""
        if self.flag:
            with self._lock:
                self._counted[self.flag if on else OFF, "ok" if ok else "failed"] += 1

    def text(self) -> str:
        """Write the counters for Prometheus."""
        with self._lock:
            counted = dict(self._counted)
        lines = [
            f'feature_requests_total{{service="{self._service}",feature="{self.flag}",'
            f'version="{version}",outcome="{outcome}"}} {count}'
            for (version, outcome), count in counted.items()
        ]
        return "\n".join(["# TYPE feature_requests_total counter", *lines, ""])
