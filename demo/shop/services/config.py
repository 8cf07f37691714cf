"""The configuration of a service process at its start: one JSON object in the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

VARIABLE = "SHOP_SERVICE"


@dataclass(frozen=True, kw_only=True)
class ServiceConfig:
    """One process of the shop; ``slot`` distinguishes two processes of one service."""

    name: str
    version: str
    port: int
    log_path: str
    settings_path: str = ""
    """A JSON object of this service's settings, replaced as a whole whenever one changes."""
    address: str = ""
    """The name with its environment where that is not production, ``checkout@staging``; empty: the name."""
    slot: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    """Where the dependencies are, by name."""
    dsn: str = ""
    feature: str = ""
    """The key of the flag of what is new in it; empty: nothing is behind a flag."""
    flags_token: str = ""
    """The bearer token for asking ``urls["flags"]`` who has it."""
    fault_token: str = ""
    """A caller with this token may make the process sick; empty: no caller may."""

    def to_environment(self) -> dict[str, str]:
        """Write it as the environment variable that the process reads."""
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ServiceConfig:
        """Read it back.

        Raises:
            KeyError: the variable is not set.
        """
        return cls(**json.loads(environment[VARIABLE]))
