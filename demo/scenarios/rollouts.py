"""The scenarios of deployments: what is typed, what the version is like, and what a right outcome is."""

from __future__ import annotations

from typing import Literal

from bot.domain.model import Model

Ending = Literal["promoted", "rolled_back", "asked", "refused", "in_doubt"]
"""How a deployment may end.

``asked``: the judge asked a person, who aborts; ``refused``: nothing was changed; ``in_doubt``: a person
has to check.
"""

Strike = Literal["killed", "stopped"]
"""What happens to the processes that hold a canary's lease: killed with -9, or stopped as if hung."""


class RolloutScenario(Model):
    """One deployment, the traffic under it, and how it should end."""

    name: str
    summary: str
    strategy: str
    service: str
    version: str
    words: str = ""
    """The options typed after it."""
    per_s: float = 20.0
    """Requests a second."""
    faulty_share: float = 0.0
    """Share of the requests that fail in every release."""
    after: str = ""
    """The scenario that is played before it, in the same slot."""
    returning: bool = False
    """Whether clients keep the cookie that holds them to their server."""
    then_rolled_back: bool = False
    """Whether a person types ``/rollback`` once it is done."""
    then_breached: bool = False
    """Whether the watch sees it fail once it is done, and proposes the rollback."""
    struck: Strike | None = None
    """What is done to the bot in the middle of it."""
    silent_within_s: float = 0.0
    """Seconds after which the canary must not answer any request; no client may see a failure."""
    ends: Ending
    decided_by: str = ""
    """The metric or the check that should decide it, where one should."""


_CANARY = "weights 40,50 pause 3s patience 4m"
_STRUCK = "weights 40 pause 15s patience 4m"

ROLLOUTS: tuple[RolloutScenario, ...] = (
    RolloutScenario(
        name="canary-good",
        summary="checkout 1.5.0 is fine, and gets all of the traffic",
        strategy="canary",
        service="checkout",
        version="1.5.0",
        words=_CANARY,
        per_s=50.0,
        ends="promoted",
    ),
    RolloutScenario(
        name="canary-bad",
        summary="checkout 1.5.1 fails one order in five, and is rolled back",
        strategy="canary",
        service="checkout",
        version="1.5.1",
        words=_CANARY,
        ends="rolled_back",
        decided_by="errors",
    ),
    RolloutScenario(
        name="canary-good-after-bad",
        summary="checkout 1.5.5 is fine, and is not charged with the errors of 1.5.1 in the same slot",
        strategy="canary",
        service="checkout",
        version="1.5.5",
        words=_CANARY,
        per_s=50.0,
        after="canary-bad",
        ends="promoted",
    ),
    RolloutScenario(
        name="canary-subtle",
        summary="checkout 1.5.2 doubles the existing errors, and is rolled back",
        strategy="canary",
        service="checkout",
        version="1.5.2",
        words="weights 30,50 pause 20s patience 4m",
        per_s=40.0,
        faulty_share=0.05,
        ends="rolled_back",
        decided_by="errors",
    ),
    RolloutScenario(
        name="canary-latency",
        summary="checkout 1.5.3 fails nothing but takes 1.6 times as long, and is rolled back",
        strategy="canary",
        service="checkout",
        version="1.5.3",
        words="weights 40,50 pause 2m patience 4m",
        ends="rolled_back",
        decided_by="latency",
    ),
    RolloutScenario(
        name="canary-no-traffic",
        summary="there are no orders, so nothing can be judged, and a person is asked",
        strategy="canary",
        service="checkout",
        version="1.5.0",
        words="weights 30 pause 1s patience 5s",
        per_s=0.05,
        ends="asked",
    ),
    RolloutScenario(
        name="canary-killed",
        summary="the bot is killed during a canary, which loses its traffic at once; a new worker continues",
        strategy="canary",
        service="checkout",
        version="1.5.0",
        words=_STRUCK,
        per_s=40.0,
        struck="killed",
        silent_within_s=1.5,
        ends="promoted",
    ),
    RolloutScenario(
        name="canary-stopped",
        summary="the bot hangs during a canary, which soon loses its traffic; a new worker continues",
        strategy="canary",
        service="checkout",
        version="1.5.0",
        words=_STRUCK,
        per_s=40.0,
        struck="stopped",
        silent_within_s=2.5,
        ends="promoted",
    ),
    RolloutScenario(
        name="blue-green",
        summary="receipts 1.3.0 starts beside 1.2.0, and all traffic is switched at once",
        strategy="blue-green",
        service="receipts",
        version="1.3.0",
        ends="promoted",
    ),
    RolloutScenario(
        name="blue-green-sticky",
        summary="receipts 1.3.2 gets all traffic at once, that of clients with an old cookie as well",
        strategy="blue-green",
        service="receipts",
        version="1.3.2",
        returning=True,
        ends="promoted",
    ),
    RolloutScenario(
        name="blue-green-bad",
        summary="receipts 1.3.1 gets all traffic and fails a third; the watch sees it, and it is rolled back",
        strategy="blue-green",
        service="receipts",
        version="1.3.1",
        then_breached=True,
        ends="rolled_back",
    ),
    RolloutScenario(
        name="rolling-bad",
        summary="catalog 2.1.1 never comes up; the first instance is rolled back and the others stay",
        strategy="rolling",
        service="catalog",
        version="2.1.1",
        ends="rolled_back",
        decided_by="replace-1",
    ),
    RolloutScenario(
        name="migrate-good",
        summary="checkout 1.6.0 has a migration that does not affect the version before",
        strategy="migrate",
        service="checkout",
        version="1.6.0",
        words="settle 2s",
        ends="promoted",
    ),
    RolloutScenario(
        name="migrate-unsafe",
        summary="checkout 1.7.0 has a migration that cannot be rolled back, and is refused",
        strategy="migrate",
        service="checkout",
        version="1.7.0",
        ends="refused",
        decided_by="migrations",
    ),
    RolloutScenario(
        name="gitops-rollback",
        summary="search 1.0.1 is synced from Git and fails; it is reverted there, so no sync restores it",
        strategy="gitops",
        service="search",
        version="1.0.1",
        then_rolled_back=True,
        ends="rolled_back",
    ),
    RolloutScenario(
        name="flag-good",
        summary="by-taste of search is turned on for some people, then for all, without more failures",
        strategy="flag",
        service="search",
        version="by-taste",
        words="weights 40 pause 5s patience 4m",
        per_s=50.0,
        ends="promoted",
    ),
    RolloutScenario(
        name="flag-bad",
        summary="by-colour of search fails one question in five of those who have it, and is turned off",
        strategy="flag",
        service="search@staging",
        version="by-colour",
        words="weights 20,50 pause 30s patience 4m",
        per_s=30.0,
        ends="rolled_back",
        decided_by="errors",
    ),
)
