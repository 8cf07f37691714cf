"""The scenarios: a fault of the shop, and its right diagnosis."""

from __future__ import annotations

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.errors import NotFoundError
from bot.domain.model import Model
from demo.scenarios.rollouts import ROLLOUTS, RolloutScenario


class ExpectedCause(Model):
    """A true cause, and the service that it is in."""

    cause: CauseKind
    at: str


class Release(Model):
    """A deployment by the bot before the trouble begins."""

    strategy: str
    service: str
    version: str
    words: str = ""
    """The options typed after it."""
    per_s: float = 20.0
    """Requests a second, before and after."""

    @property
    def typed(self) -> str:
        """The words after ``/deploy``."""
        return f"{self.strategy} {self.service} {self.version} {self.words}".strip()


class IncidentScenario(Model):
    """What goes wrong, who would notice it, and the truth."""

    name: str
    summary: str
    fault: str = ""
    """The fault's name at the shop's control API; empty if a release by the bot goes wrong."""
    release: Release | None = None
    """What the bot deploys, and rolls back in the end."""
    rolled_back: bool = False
    """Whether the cure is a rollback, which belongs in the record of deployments."""
    channel: str = ""
    """Where the alert shows, without ``#``; empty: the service's own channel."""
    service: str = "checkout"
    """The service that the person on call asks about."""
    cause: CauseKind | None
    """The true cause; none where nothing is wrong."""
    at: str = ""
    """The service that the true cause is in."""
    also: tuple[ExpectedCause, ...] = ()
    """A second true cause, so that either may come first; one remedy does not fix both."""
    innocent: str = ""
    """A deploy that must not be blamed, as ``service version``."""


SCENARIOS: tuple[IncidentScenario, ...] = (
    IncidentScenario(
        name="bad-release",
        summary="checkout 1.4.2 goes out and fails a part of its requests",
        fault="bad-release",
        cause=CauseKind.BAD_RELEASE,
        at="checkout",
        rolled_back=True,
    ),
    IncidentScenario(
        name="blue-green-bad-release",
        summary="receipts is switched to 1.3.1 at once, which fails a third of its requests",
        release=Release(strategy="blue-green", service="receipts", version="1.3.1"),
        service="receipts",
        cause=CauseKind.BAD_RELEASE,
        at="receipts",
        rolled_back=True,
        channel="storefront-oncall",
    ),
    IncidentScenario(
        name="gitops-bad-release",
        summary="search 1.0.1 is synced from Git and fails one question in five; it is reverted in Git",
        release=Release(strategy="gitops", service="search", version="1.0.1"),
        service="search",
        cause=CauseKind.BAD_RELEASE,
        at="search",
        rolled_back=True,
        channel="storefront-oncall",
    ),
    IncidentScenario(
        name="flag-bad-release",
        summary="a flag is promoted past an unsure judge, fails one question in five, and is turned off",
        release=Release(
            strategy="flag",
            service="search@staging",
            version="by-colour",
            words="weights 1 pause 1s patience 3s",
        ),
        service="search@staging",
        cause=CauseKind.BAD_CONFIGURATION,
        at="search@staging",
        rolled_back=True,
        channel="storefront-oncall",
    ),
    IncidentScenario(
        name="database-lock",
        summary="a report's transaction holds locks until checkout has no connection left",
        fault="database-lock",
        cause=CauseKind.DATABASE_LOCK,
        at="checkout",
    ),
    IncidentScenario(
        name="dependency-down",
        summary="the bank behind payments accepts connections and never answers",
        fault="dependency-down",
        cause=CauseKind.DEPENDENCY_DOWN,
        at="bank",
    ),
    IncidentScenario(
        name="saturation",
        summary="a process runs out of CPU and everything behind it is late",
        fault="saturation",
        cause=CauseKind.SATURATION,
        at="payments",
    ),
    IncidentScenario(
        name="bad-configuration",
        summary="a setting of payments changes; nothing is deployed",
        fault="bad-configuration",
        cause=CauseKind.BAD_CONFIGURATION,
        at="payments",
    ),
    IncidentScenario(
        name="loud-innocent",
        summary="a setting of payments is wrong; storefront, just deployed, is the loudest",
        fault="loud-innocent",
        service="storefront",
        cause=CauseKind.BAD_CONFIGURATION,
        at="payments",
        innocent="storefront 2.3.1",
    ),
    IncidentScenario(
        name="two-faults",
        summary="checkout 1.4.2 fails a part of its requests while a setting of payments fails others",
        fault="two-faults",
        cause=CauseKind.BAD_RELEASE,
        at="checkout",
        also=(ExpectedCause(cause=CauseKind.BAD_CONFIGURATION, at="payments"),),
    ),
    IncidentScenario(
        name="log-storm",
        summary="a harmless line floods the logs just after an innocent deploy",
        fault="log-storm",
        service="storefront",
        cause=None,
        innocent="storefront 2.3.1",
    ),
    IncidentScenario(
        name="false-alarm",
        summary="an alert fires and nothing is wrong",
        fault="false-alarm",
        cause=None,
    ),
)


ALL: tuple[IncidentScenario | RolloutScenario, ...] = (*SCENARIOS, *ROLLOUTS)
"""Every scenario: incidents first, then deployments."""


def scenario(name: str) -> IncidentScenario | RolloutScenario:
    """Return a scenario.

    Raises:
        NotFoundError: no scenario has that name.
    """
    for known in ALL:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in ALL)
    raise NotFoundError(f"Unknown scenario: {name}.", hint=f"Choose one of: {names}.")
