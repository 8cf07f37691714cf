"""What the chat should show, and what it is known to show."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from bot.domain.chart import Chart
from bot.domain.model import JsonObject, Model


class Topic(Model):
    """What messages are about: a run, an alert, the diagnoses of a week, a deployment, and the like.

    A week's id is as in ``2026-W48``, a checklist's ``<service>:<version>``, a lock's and a freeze's as their
    ``episode``, an emergency's that of its run.
    """

    kind: Literal[
        "run",
        "alert",
        "accuracy",
        "deployment",
        "delivery",
        "checklist",
        "lock",
        "freeze",
        "emergency",
    ]
    id: str


class Hold(Model):
    """One claim of a topic by one renderer; a later claim of the same topic is another hold."""

    topic: Topic
    mark: str
    """What distinguishes this claim from every other one of the topic."""


class DesiredMessage(Model):
    """One message as it should be now; the same ``slot`` of a topic is the same message, edited in place."""

    slot: str
    """``root``, ``phase:<id>``, ``chart:<name>``, ``ask:<approval>``, ``remind:<approval>``,
    ``direct:<approval>:<person>``, ``final``; for the others their ``kind``, or
    ``waiver:<item>:<person>``."""
    text: str
    """The whole message as plain text: notifications, screen readers, search.  At most 4,000 characters."""
    blocks: tuple[JsonObject, ...] = ()
    chart: Chart | None = None
    """Shown as a picture below the blocks, which put in words what it shows."""
    urgent: bool = False
    """Edit it at once: a person is waiting for it."""
    broadcast: bool = False
    """A reply that is also shown in the channel."""
    to: str = ""
    """The id of the person who gets it as a direct message; no other message waits for it."""
    only_edit: bool = False
    """Never post it; if it was posted before, keep it up to date."""

    @property
    def digest(self) -> str:
        """A hash of what people see."""
        seen = [self.text, self.blocks, *([] if self.chart is None else [self.chart.digest])]
        data = json.dumps(seen, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(data.encode()).hexdigest()[:16]


class PostedMessage(Model):
    """The record of one posted message; an empty ``ts`` means that a post was begun and not recorded."""

    channel: str
    ts: str = ""
    thread: str = ""
    digest: str = ""
    edited_at: float = 0
    """When it was last posted or edited, in seconds since the epoch."""
    file: str = ""
    """The uploaded picture that it shows, or will show."""
    picture: str = ""
    """The digest of the chart in ``file``."""
