"""How well software is delivered, in eight metrics: what was counted, and out of how many."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from bot.domain.errors import NotFoundError
from bot.domain.model import Instant, Model

DAY_S = 86_400
MOST_DAYS = 365


class Proportion(Model):
    """A count out of a total."""

    some: int = Field(default=0, ge=0)
    of: int = Field(default=0, ge=0)

    @property
    def share(self) -> float | None:
        """The share, 0 to 1; none where there is nothing to count."""
        return self.some / self.of if self.of else None


class DurationSpread(Model):
    """How some durations are spread, in seconds."""

    median_s: float
    p90_s: float
    count: int = Field(ge=1)


class DeliveryBucket(Model):
    """What became of the deployments that were asked for within one span of time."""

    start: Instant
    succeeded: int = 0
    put_back: int = 0
    failed: int = 0


class DeliveryMetrics(Model):
    """The eight metrics of one service or of all, of ``days`` days until a moment."""

    service: str
    """Empty: of all services in production."""
    days: int = Field(ge=1)
    until: Instant
    deployments: int
    """Changed something, have ended, and are not rollbacks; the first metric is how often that was."""
    success: Proportion
    """How many reached their end as they were meant to."""
    failures: Proportion
    """How many failed, were put back, or were taken back later."""
    recovery: DurationSpread | None = None
    """From when a failed change began to do harm until the service was back; none without any."""
    unrecovered: int = 0
    """The number of failures after which nothing was deployed successfully and nothing was rolled back."""
    impaired_s: float = 0
    """How long failed changes were in place, in seconds; of overlapping ones at a service only once."""
    services: int = Field(default=1, ge=1)
    """How many services these figures are of."""
    duration: DurationSpread | None = None
    rollbacks: int = 0
    """Asked for by people or by a watch."""
    put_back: int = 0
    """Put back by the deployment itself, such as a canary that was stopped."""
    cost: float | None = None
    """What the impairment cost, in ``currency``; none where the catalogue gives no price."""
    currency: str = ""
    not_changed: int = 0
    """Ended before they changed anything: rejected, expired, cancelled, stopped by a gate."""
    buckets: tuple[DeliveryBucket, ...] = ()
    bucket_s: float = DAY_S
    durations: tuple[tuple[float, float], ...] = ()
    """When each deployment ended, in seconds since the epoch, and how long it took, in seconds."""

    @property
    def per_day(self) -> float:
        """Deployments a day."""
        return self.deployments / self.days

    @property
    def uptime(self) -> float:
        """The share of the time, 0 to 1, without a failed change in place: at most so much was up."""
        return max(0.0, 1 - self.impaired_s / (self.days * DAY_S * self.services))


class DeliveryQuestion(Model):
    """Which figures a person asked for, where, and as of when."""

    service: str = ""
    days: int = Field(ge=1, le=MOST_DAYS)
    until_s: int
    channel: str

    @property
    def id(self) -> str:
        """The question as the id of a topic."""
        return f"{self.service}:{self.days}:{self.until_s}:{self.channel}"

    @classmethod
    def from_id(cls, text: str) -> Self:
        """Read an id.

        Raises:
            NotFoundError: it is not such an id.
        """
        try:
            service, days, until_s, channel = text.split(":")
            return cls(service=service, days=int(days), until_s=int(until_s), channel=channel)
        except ValueError:
            raise NotFoundError(f"`{text}` is not a question about deliveries.") from None
