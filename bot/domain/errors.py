"""Failures we expect: prose for people, a code for machines, a way out."""

from __future__ import annotations

from typing import ClassVar

from bot.domain.documentation import DOCS


class BotError(Exception):
    """An expected failure; ``reason`` is stable, ``hint`` says what to do."""

    reason: ClassVar[str] = "failed"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        """Keep the ``message`` for people; ``code`` refines the class's ``reason``."""
        super().__init__(message)
        self.hint = hint or self.default_hint
        self.code = code or self.reason

    @property
    def in_full(self) -> str:
        """The message and the way out, in one text."""
        return f"{self} {self.hint}".strip()


class ProbeUnavailableError(BotError):
    """A source could not be read; that says nothing about what it would have said."""

    reason = "source_unavailable"
    default_hint = "Check that the source is up and that the catalogue names it rightly."


class ProbeGarbageError(ProbeUnavailableError):
    """A source answered with something that cannot be understood."""

    reason = "source_garbage"
    default_hint = "Look at what the source answers; something else may be listening there."


class ProbeNotConfiguredError(ProbeUnavailableError):
    """The catalogue names no such source for the service."""

    reason = "source_not_configured"
    default_hint = "Add the source to the service's `sources:` in the catalogue."


class ActionFailedError(BotError):
    """An action was refused or failed and changed nothing."""

    reason = "action_failed"


class ActionInDoubtError(BotError):
    """An action may or may not have happened; the world must be looked at first."""

    reason = "action_in_doubt"
    default_hint = "Look at the target before trying again."


class StaleEpochError(BotError):
    """Another worker owns the run by now; nothing may be written or done."""

    reason = "stale_epoch"


class HoldLostError(BotError):
    """Another worker shows this topic by now; nothing may be written or said about it here."""

    reason = "hold_lost"


class ApprovalRefusedError(BotError):
    """A click that may not count; ``code`` says which rule it broke."""

    reason = "approval_refused"


class NotAllowedError(BotError):
    """The person may not do this here."""

    reason = "not_allowed"


class GateClosedError(BotError):
    """A gate says "not now" to a deployment; ``code`` says which and why, and nothing has begun."""

    reason = "gate_closed"


class IdentityUnknownError(NotAllowedError):
    """Who somebody is cannot be found out now; that does not mean that they may not."""

    reason = "identity_unknown"


class BusyError(BotError):
    """So much is waiting that what is asked for now would be late."""

    reason = "busy"
    default_hint = "Try again in a minute; whoever runs this bot should start more workers."


class StoreUnavailableError(BotError):
    """The store takes nothing now; whether this was written down before it failed is not always known."""

    reason = "store_unavailable"
    default_hint = "Try again in a minute; whoever runs this bot should look at its Redis."


class UsageError(BotError):
    """What a person typed cannot be understood; the hint holds an example."""

    reason = "usage"


class UnknownServiceError(UsageError):
    """The catalogue has no such service."""

    reason = "unknown_service"


class RunbookError(BotError):
    """A runbook does not parse, or names a plugin that does not exist."""

    reason = "runbook_invalid"
    default_hint = "Run `pilothouse check` to see every problem at once."


class TemplateError(BotError):
    """A template in a runbook cannot be rendered with what the run knows."""

    reason = "template_invalid"


class NotFoundError(BotError):
    """There is no such run, alert or approval (any more)."""

    reason = "not_found"


class SettingsError(BotError):
    """A setting is missing, misspelt or out of range."""

    reason = "settings_invalid"
    default_hint = f"See {DOCS}/reference/settings.md for every setting."
