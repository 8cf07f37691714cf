"""The names of keys; all that one script touches shares a hash tag, hence one slot of a cluster."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

LANES = ("urgent", "normal")
"""Queues in the order in which they are served."""


def settled(key: str) -> str:
    """Return the key of the counter of writes that had to be replicated, in the slot of another key."""
    tag, brace, _ = key.partition("}")
    return f"{tag}{brace}:settled"


@dataclass(frozen=True)
class Shard:
    """The keys of one shard."""

    tag: str

    def run(self, run_id: str) -> str:
        """Hash: a run's state, epoch, length and events."""
        return f"{self.tag}:run:{run_id}"

    def queue(self, lane: str) -> str:
        """Stream of runs that are ready."""
        return f"{self.tag}:q:{lane}"

    def seen(self, key: str) -> str:
        """Marker of an intent that was stored."""
        return f"{self.tag}:seen:{key}"

    def messages(self, topic: str) -> str:
        """Hash: what is posted about a topic, by slot."""
        return f"{self.tag}:msg:{topic}"

    @property
    def holds(self) -> str:
        """Prefix of the keys that hold who renders a topic."""
        return f"{self.tag}:hold:"

    @property
    def alerts(self) -> str:
        """Prefix of the hashes of alerts, by id."""
        return f"{self.tag}:alert:"

    def acknowledgement(self, alert_id: str) -> str:
        """String: who acknowledged an alert, and since when."""
        return f"{self.tag}:ack:{alert_id}"

    def triage(self, alert_id: str) -> str:
        """String: the run that an alert belongs to."""
        return f"{self.tag}:triage:{alert_id}"

    def silence(self, fingerprint: str) -> str:
        """String: who silenced a fingerprint; expires with the silence."""
        return f"{self.tag}:silence:{fingerprint}"

    @property
    def firing(self) -> str:
        """Sorted set of the alerts that fire, by the time they began."""
        return f"{self.tag}:firing"

    def newest_alert(self, fingerprint: str) -> str:
        """String: the id of the newest episode of a fingerprint."""
        return f"{self.tag}:alert-newest:{fingerprint}"

    @property
    def fired(self) -> str:
        """Sorted set of the stored alerts, by the time they ended; infinite while they fire."""
        return f"{self.tag}:fired"

    def bucket(self, name: str) -> str:
        """Hash: a token bucket."""
        return f"{self.tag}:budget:{name}"

    def heartbeat(self, service: str, job: str) -> str:
        """Hash: what is known of a job that reports."""
        return f"{self.tag}:heartbeat:{service}:{job}"

    def lease(self, service: str) -> str:
        """String that lapses: who holds the dead-man switch of a service's address."""
        return f"{self.tag}:lease:{service}"

    def flags(self, service: str) -> str:
        """Hash: the flags of a service's address."""
        return f"{self.tag}:flags:{service}"

    def flag_fence(self, run_id: str) -> str:
        """String: the newest owner of a run that has set flags."""
        return f"{self.tag}:flag-fence:{run_id}"

    def feedback(self, run_id: str) -> str:
        """Hash: people's ratings of a run's diagnosis, by person."""
        return f"{self.tag}:feedback:{run_id}"

    @property
    def rated(self) -> str:
        """Sorted set of the runs with rated diagnoses, by when these were made."""
        return f"{self.tag}:rated"

    @property
    def inbox(self) -> str:
        """Stream of intents."""
        return f"{self.tag}:in"

    @property
    def checks(self) -> str:
        """Stream of monitors that are due."""
        return f"{self.tag}:checks"

    def places(self, run_id: str) -> str:
        """Set: the names of what a run holds or waits for."""
        return f"{self.tag}:places:{run_id}"

    @property
    def held(self) -> str:
        """Prefix of the sets of runs that hold something."""
        return f"{self.tag}:held:"

    @property
    def waiting(self) -> str:
        """Prefix of the sorted sets of runs that wait for something, by since when."""
        return f"{self.tag}:waiting:"

    def claim(self, name: str) -> str:
        """String: which run has a name, such as the triage of a service; it may expire."""
        return f"{self.tag}:claim:{name}"

    def deploy_lock(self, service: str) -> str:
        """String: who has locked a service against deployments; expires with the lock."""
        return f"{self.tag}:deploylock:{service}"

    def lock_changes(self, episode: str) -> str:
        """Hash: the changes of one lock by people, by the keys of their requests."""
        return f"{self.tag}:lockchanges:{episode}"

    def checklist(self, service: str, version: str) -> str:
        """Hash: people's marks on the checklist of a version."""
        return f"{self.tag}:checklist:{service}:{version}"

    @property
    def monitor_slots(self) -> str:
        """Hash: the latest claimed slot of each monitor, in ms."""
        return f"{self.tag}:monitors:slots"

    @property
    def monitor_kept(self) -> str:
        """Hash: the slot of each monitor's last stored check, in ms."""
        return f"{self.tag}:monitors:kept"

    @property
    def monitor_states(self) -> str:
        """Hash: what is known of each monitor."""
        return f"{self.tag}:monitors:states"

    @property
    def monitor_pauses(self) -> str:
        """Hash: which monitors are paused, and by whom."""
        return f"{self.tag}:monitors:pauses"

    @property
    def dead(self) -> str:
        """Stream of work that failed too often, for a person to look at."""
        return f"{self.tag}:dead"

    @property
    def due(self) -> str:
        """Sorted set of parked runs by the time they wake."""
        return f"{self.tag}:due"

    @property
    def active(self) -> str:
        """Set of the runs that are ready or running: a message stands for each of them."""
        return f"{self.tag}:active"

    @property
    def idle(self) -> str:
        """Sorted set of parked and finished runs that are not packed yet, by since when they are."""
        return f"{self.tag}:idle"

    @property
    def dirty(self) -> str:
        """Sorted set of topics whose messages have to be checked."""
        return f"{self.tag}:dirty"

    @property
    def index(self) -> str:
        """Sorted set of runs by the time they began."""
        return f"{self.tag}:runs"

    @property
    def books(self) -> str:
        """Hash: every version of a runbook that was ever run, by digest."""
        return f"{self.tag}:books"

    @property
    def beats(self) -> str:
        """Hash of the workers' heartbeat counters."""
        return f"{self.tag}:hb"

    def deployment(self, deployment_id: str) -> str:
        """Hash: the record of a deployment, and whether it has ended."""
        return f"{self.tag}:deployment:{deployment_id}"

    def deployments_of(self, service: str) -> str:
        """Sorted set of the deployments of a service's address, by when they were asked for."""
        return f"{self.tag}:deployments:of:{service}"

    @property
    def deployments(self) -> str:
        """Sorted set of all deployments, by when they were asked for."""
        return f"{self.tag}:deployments:all"

    @property
    def changes(self) -> str:
        """Prefix of the change ledger."""
        return f"{self.tag}:changes:"


@dataclass(frozen=True)
class Keys:
    """Finds the shard of a run; what all runs share is in the first."""

    prefix: str = "pilothouse"
    shards: int = 1

    def shard(self, number: int) -> Shard:
        """Return one shard."""
        return Shard(f"{{{self.prefix}:s{number}}}")

    def of(self, run_id: str) -> Shard:
        """Return the shard of a run."""
        return self.shard(zlib.crc32(run_id.encode()) % self.shards)

    @property
    def shared(self) -> Shard:
        """The shard of everything that does not belong to a run."""
        return self.shard(0)

    @property
    def all(self) -> tuple[Shard, ...]:
        """Every shard."""
        return tuple(self.shard(number) for number in range(self.shards))
