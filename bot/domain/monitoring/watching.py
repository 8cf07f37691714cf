"""How measurements become an episode: what is well, breaching, firing or unknown, and since when."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.domain.model import Model

Health = Literal["new", "ok", "breaching", "firing", "unmeasured", "unknown"]


class WatchLimits(Model):
    """The times that a monitor allows, all in seconds."""

    gap_s: float = Field(gt=0)
    """Measurements further apart than this leave a time of which nothing is known."""
    for_s: float = Field(default=0, ge=0)
    unknown_for_s: float = Field(default=300, ge=0)
    flap_episodes: int = Field(default=3, ge=2)
    """The episode with this number within ``flap_window_s`` is kept open as flapping."""
    flap_window_s: float = Field(default=3600, gt=0)
    calm_s: float = Field(default=900, ge=0)
    """A flapping episode ends after it was measured to be well for this long, without a gap."""


class MonitorSample(Model):
    """One look: true, false, or none where nothing could be measured."""

    slot_s: float
    """The slot it was taken for, in seconds since the epoch."""
    ok: bool | None
    text: str = ""


class Episode(Model):
    """One time of trouble; its id is derived from when it began."""

    began_s: float
    ended_s: float | None = None
    unknown: bool = False
    """Nothing can be measured, for long enough to be trouble of its own."""
    flapping: bool = False
    times: int = 1
    """How often it came back while it was kept open."""


class MonitorHistory(Model):
    """What is known of a monitor: the fold of its samples."""

    slot_s: float = 0
    text: str = ""
    ok: bool | None = None
    breached_since_s: float | None = None
    unmeasured_since_s: float | None = None
    calm_since_s: float | None = None
    episode: Episode | None = None
    """The latest, which may have ended."""
    began_s: tuple[float, ...] = ()
    """When the latest episodes began, for as long as they count towards flapping."""

    @property
    def firing(self) -> bool:
        """Whether an episode is open."""
        return self.episode is not None and self.episode.ended_s is None

    @property
    def health(self) -> Health:
        """One word for how it is."""
        if self.episode is not None and self.firing:
            return "unknown" if self.episode.unknown else "firing"
        if self.slot_s == 0:
            return "new"
        if self.unmeasured_since_s is not None:
            return "unmeasured"
        return "ok" if self.breached_since_s is None else "breaching"


def fold(watched: MonitorHistory, sample: MonitorSample, limits: WatchLimits) -> MonitorHistory:
    """Return the history with one more sample; one that is not newer than the last changes nothing."""
    if sample.slot_s <= watched.slot_s:
        return watched
    gap = watched.slot_s > 0 and sample.slot_s - watched.slot_s > limits.gap_s
    after = watched.model_copy(
        update={
            "slot_s": sample.slot_s,
            "text": sample.text,
            "ok": sample.ok,
            # A time of which nothing is known is not a calm one.
            "calm_since_s": None if gap else watched.calm_since_s,
        }
    )
    if sample.ok is None:
        return _unmeasured(after, limits, since_s=watched.slot_s if gap else sample.slot_s)
    return _well(after, limits) if sample.ok else _breached(after, limits)


def _unmeasured(watched: MonitorHistory, limits: WatchLimits, *, since_s: float) -> MonitorHistory:
    since = watched.unmeasured_since_s if watched.unmeasured_since_s is not None else since_s
    after = watched.model_copy(update={"unmeasured_since_s": since, "calm_since_s": None})
    if watched.slot_s - since < limits.unknown_for_s:
        return after  # neither better nor worse: what was open stays open
    return _open(after, limits, unknown=True)


def _breached(watched: MonitorHistory, limits: WatchLimits) -> MonitorHistory:
    since = watched.breached_since_s if watched.breached_since_s is not None else watched.slot_s
    again = watched.calm_since_s is not None
    after = watched.model_copy(
        update={"breached_since_s": since, "unmeasured_since_s": None, "calm_since_s": None}
    )
    if watched.firing or watched.slot_s - since >= limits.for_s:
        return _open(after, limits, unknown=False, again=again)
    return after


def _well(watched: MonitorHistory, limits: WatchLimits) -> MonitorHistory:
    calm = watched.calm_since_s if watched.calm_since_s is not None else watched.slot_s
    after = watched.model_copy(
        update={"breached_since_s": None, "unmeasured_since_s": None, "calm_since_s": calm}
    )
    episode = watched.episode
    if episode is None or not watched.firing:
        return after
    if episode.flapping and watched.slot_s - calm < limits.calm_s:
        return after
    ended = episode.model_copy(update={"ended_s": watched.slot_s})
    return after.model_copy(update={"episode": ended})


def _open(
    watched: MonitorHistory, limits: WatchLimits, *, unknown: bool, again: bool = False
) -> MonitorHistory:
    """Begin an episode, or continue the open one."""
    if watched.episode is not None and watched.firing:
        times = watched.episode.times + (1 if again else 0)
        going_on = watched.episode.model_copy(update={"unknown": unknown, "times": times})
        return watched.model_copy(update={"episode": going_on})
    recent = tuple(at for at in watched.began_s if watched.slot_s - at < limits.flap_window_s)
    began = (*recent, watched.slot_s)[-limits.flap_episodes :]
    episode = Episode(began_s=watched.slot_s, unknown=unknown, flapping=len(began) >= limits.flap_episodes)
    return watched.model_copy(update={"episode": episode, "began_s": began})
