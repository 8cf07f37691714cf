"""Carries out commands on a rollout under way: promote it now, pause it, resume it, or abort it."""

from __future__ import annotations

import logging

from bot.domain.errors import NotAllowedError, NotFoundError
from bot.domain.intent import SteerRun
from bot.domain.people import Person
from bot.domain.rollouts.canary import SteeringWord
from bot.domain.rollouts.rollout import rollout_under_way
from bot.domain.runs.event import RolloutSteered
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Pipeline
from bot.engine.deps import Deps
from bot.engine.interjection import Interjection, interject
from bot.ports.directory import Directory

log = logging.getLogger(__name__)

_ONWARDS: frozenset[SteeringWord] = frozenset({"promote", "resume"})
"""Commands that bring a version to more people; the others only withhold it."""


class RolloutControl:
    """Records people's commands in the journal; the judge reads them at its next look."""

    def __init__(self, deps: Deps, *, directory: Directory) -> None:
        """Store the dependencies."""
        self._deps = deps
        self._directory = directory

    async def carry_out(self, intent: SteerRun) -> None:
        """Record the command once; the person is known to be a member.

        Any member may pause or abort.  To promote or to resume takes an approver who did not ask for the
        rollout: it overrides the judge, or a person who had doubts.

        Raises:
            NotFoundError: the rollout has already finished.
            NotAllowedError: this person may not give that command.
        """

        async def decided(run: Run) -> Interjection | None:
            phase = rollout_under_way(run)
            if phase is None:
                raise NotFoundError("This rollout has already finished.", hint="See the end of this thread.")
            if intent.key in run.steering.keys:
                return None  # this click was recorded before a crash
            if intent.word in _ONWARDS:
                await self._require_approver(run, phase, intent)
            said = RolloutSteered(at=self._deps.clock.now(), by=intent.by, word=intent.word, key=intent.key)
            return Interjection(event=said, wake=False)

        if await interject(self._deps.stores.journal, intent.run_id, decided) is not None:
            log.info("run_steered", extra={"run_id": intent.run_id, "word": intent.word, "by": intent.by.id})

    async def _require_approver(self, run: Run, phase: Pipeline, intent: SteerRun) -> None:
        own = phase.approval.groups if phase.approval is not None else ()
        groups = own or self._deps.catalogue.get(run.service).approvers
        if not await self._directory.groups_of(intent.by.id, among=groups, fresh=True):
            names = " or ".join(f"@{name}" for name in groups)
            raise NotAllowedError(
                f"Only members of {names} may {intent.word} this.",
                code="not_in_group",
                hint="You may pause or abort it.",
            )
        lenient = phase.approval is not None and phase.approval.allow_requester
        if not lenient and await self._is_same_person(intent.by, run.requested_by):
            raise NotAllowedError(
                f"You asked for this, so you cannot {intent.word} it.",
                code="self_approval",
                hint="Ask someone else on call. You may pause or abort it.",
            )

    async def _is_same_person(self, one: Person, other: Person) -> bool:
        """Return whether two accounts are one person's."""
        if one.id == other.id:
            return True
        mine, theirs = await self._directory.profile(one.id), await self._directory.profile(other.id)
        return mine.is_same_person(theirs)
