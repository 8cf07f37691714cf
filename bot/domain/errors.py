"""Failures we expect: prose for people, a code for machines, a way out."""

from __future__ import annotations

from typing import ClassVar

from bot.domain.documentation import DOCS


class BotError(Exception):
    """An expected failure; ``reason`` is stable, ``hint`` is the next step."""

    reason: ClassVar[str] = "failed"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        """Store the ``message`` for people; ``code`` refines the class's ``reason``."""
        super().__init__(message)
        self.hint = hint or self.default_hint
        self.code = code or self.reason

    @property
    def in_full(self) -> str:
        """The message and the way out, in one text."""
        return f"{self} {self.hint}".strip()


class ProbeUnavailableError(BotError):
    """A source could not be read; that does not show whether anything is wrong."""

    reason = "source_unavailable"
    default_hint = "Check that the source is up and that its entry in the catalogue is correct."


class ProbeGarbageError(ProbeUnavailableError):
    """A source answered with something that cannot be understood."""

    reason = "source_garbage"
    default_hint = "Check what the source answers; something else may be listening there."


class ProbeNotConfiguredError(ProbeUnavailableError):
    """The catalogue names no such source for the service."""

    reason = "source_not_configured"
    default_hint = "Add the source to the service's `sources:` in the catalogue."


class ActionFailedError(BotError):
    """An action was refused or failed and changed nothing."""

    reason = "action_failed"


class ActionInDoubtError(BotError):
    """An action may or may not have happened; the target must be checked first."""

    reason = "action_in_doubt"
    default_hint = "Check the target before you try again."


class StaleEpochError(BotError):
    """Another worker owns the run by now; nothing may be written or done."""

    reason = "stale_epoch"


class HoldLostError(BotError):
    """Another worker shows this topic by now; nothing may be written or posted about it here."""

    reason = "hold_lost"


class ApprovalRefusedError(BotError):
    """A click that may not count; ``code`` is the rule it broke."""

    reason = "approval_refused"


class NotAllowedError(BotError):
    """The person may not do this here."""

    reason = "not_allowed"


class GateClosedError(BotError):
    """A gate stopped a deployment before it began; ``code`` names the gate and the reason."""

    reason = "gate_closed"


class IdentityUnknownError(NotAllowedError):
    """A person's identity cannot be looked up now; that does not mean that they may not do this."""

    reason = "identity_unknown"


class BusyError(BotError):
    """So many requests are waiting that a new one would be answered too late."""

    reason = "busy"
    default_hint = "Try again in a minute. If it persists, the bot needs more workers."


class StoreUnavailableError(BotError):
    """The store accepts nothing now; whether this was written before it failed is not always known."""

    reason = "store_unavailable"
    default_hint = "Try again in a minute. If it persists, the bot's operator should check its Redis."


class UsageError(BotError):
    """What a person typed cannot be understood; the hint holds an example."""

    reason = "usage"


class UnknownServiceError(UsageError):
    """The catalogue has no such service."""

    reason = "unknown_service"


class UnknownVersionError(UsageError):
    """No source knows such a version of the service, and one of them knows all versions."""

    reason = "unknown_version"


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
