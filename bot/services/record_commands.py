"""Answers questions about the record of deployments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bot.domain.board import Topic
from bot.domain.deployments.delivery import DeliveryQuestion
from bot.domain.deployments.deployment import Deployment
from bot.domain.diagnoses.finding import Facts, FindingKind, Findings
from bot.domain.errors import NotFoundError
from bot.domain.intent import AnyRecordIntent, ShowDelivery, ShowDiff
from bot.domain.model import JsonObject
from bot.engine.deps import Deps
from bot.engine.steps import call_with
from bot.views.difference import commit_lines, difference_text, settings_lines, unknown_lines

_LOOK_S, _GIT_S = 10.0, 60.0
_LOOK_BACK = 50
_MOST_SINCE_S = 30 * 86_400.0
_SETTINGS = (FindingKind.CHANGE_CONFIG, FindingKind.CHANGE_FLAG)
_SETTINGS_AND_FLAGS = "Settings and flags"


@dataclass(frozen=True, kw_only=True)
class _Span:
    """Two versions to compare; ``since`` is when the first began to serve, none where that is not known."""

    before: str
    after: str
    is_past: bool
    since: datetime | None


class RecordCommands:
    """Returns answers as text; the person is known to be a member."""

    def __init__(self, deps: Deps) -> None:
        """Store the dependencies."""
        self._deps = deps
        self._board = deps.stores.board

    async def carry_out(self, intent: AnyRecordIntent) -> str:
        """Return the answer to the person who asked, as mrkdwn; empty where a message answers everyone.

        Raises:
            NotFoundError: the versions to compare are not known.
        """
        match intent:
            case ShowDelivery():
                await self._board.mark(Topic(kind="delivery", id=_question(intent).id))
                return ""
            case ShowDiff():
                return await self._diff(intent)
            case _:
                assert_never(intent)

    async def _diff(self, intent: ShowDiff) -> str:
        """Return what a version would change, or what the latest deployment has changed."""
        span = await self._span(intent)
        changed: list[str] = []
        settings: list[str] = []
        if span.before != span.after:
            changed, settings = await asyncio.gather(self._code(intent, span), self._settings(intent, span))
        return difference_text(
            intent.service,
            span.before,
            span.after,
            is_past=span.is_past,
            code_lines=changed,
            settings=settings,
        )

    async def _span(self, intent: ShowDiff) -> _Span:
        known = await self._deps.stores.deployments.of(intent.service, limit=_LOOK_BACK)
        done = [one for one in known if one.changed and one.outcome == "succeeded"]
        if intent.version:
            before = await self._serving(intent) or (done[0].version if done else "")
            if before:
                since = done[0].finished_at if done else None
                return _Span(before=before, after=intent.version, is_past=False, since=since)
        elif done and done[0].previous_version:
            return _of_latest(done)
        hint = f"Name the version: `/deploy diff {intent.service} <version>`."
        if intent.version:
            hint = "Its deployment target did not answer, and I have no record of a deployment."
        raise NotFoundError(f"I do not know which version of `{intent.service}` to compare with.", hint=hint)

    async def _serving(self, intent: ShowDiff) -> str:
        """Return the version that the target serves; empty if it does not answer."""
        facts = await self._ask(intent, "deploy.observe", {"service": intent.service}, timeout_s=_LOOK_S)
        stable = facts.data.get("stable") if isinstance(facts, Facts) else None
        version = stable.get("version") if isinstance(stable, Mapping) else ""
        return version if isinstance(version, str) else ""

    async def _code(self, intent: ShowDiff, span: _Span) -> list[str]:
        arguments: JsonObject = {"service": intent.service, "before": span.before, "after": span.after}
        answer = await self._ask(intent, "git.between", arguments, timeout_s=_GIT_S)
        if isinstance(answer, Facts):
            return commit_lines(answer.data)
        return unknown_lines("Commits", answer if isinstance(answer, str) else "")

    async def _settings(self, intent: ShowDiff, span: _Span) -> list[str]:
        """List the settings changed since the earlier version began to serve; they are already in effect."""
        if span.since is None:
            return unknown_lines(_SETTINGS_AND_FLAGS, "The previous version's start time is missing.")
        age_s = min((self._deps.clock.now() - span.since).total_seconds(), _MOST_SINCE_S)
        arguments: JsonObject = {"service": intent.service, "since_s": max(1.0, age_s), "commits": False}
        answer = await self._ask(intent, "changes.recent", arguments, timeout_s=_LOOK_S)
        if not isinstance(answer, Findings):
            return unknown_lines(_SETTINGS_AND_FLAGS, answer if isinstance(answer, str) else "")
        return settings_lines(
            [f.summary for f in answer.items if f.service == intent.service and f.kind in _SETTINGS]
        )

    async def _ask(
        self, intent: ShowDiff, plugin: str, arguments: JsonObject, *, timeout_s: float
    ) -> object | str:
        """Call a probe and return its result; its error text where it fails."""
        ctx = self._deps.context(intent.key, plugin, timeout_s=timeout_s)
        called = await call_with(ctx, self._deps.plugins.get(plugin), arguments)
        return called.error if called.result is None else called.result


def _question(intent: ShowDelivery) -> DeliveryQuestion:
    return DeliveryQuestion(
        service=intent.service,
        days=intent.days,
        until_s=int(intent.at.timestamp()),
        channel=intent.channel,
    )


def _of_latest(done: Sequence[Deployment]) -> _Span:
    latest, earlier = done[0], done[1:]
    since = earlier[0].finished_at if earlier else None
    return _Span(before=latest.previous_version, after=latest.version, is_past=True, since=since)
