"""The public interface for packages with probes and actions; they import nothing else but ``bot.testing``.

The promise, by semantic versioning (<https://semver.org>) of the package ``pilothouse``:

* A **patch** release (1.2.3 to 1.2.4) changes no name, parameter, field or meaning of what is in ``__all__``.
* A **minor** release (1.2 to 1.3) may add names, optional keyword arguments, fields with a default, members
  of ``FindingKind`` and error classes below the present ones.  It may deprecate: what is deprecated works,
  with a ``DeprecationWarning``, until the next major release.
* A **major** release (1 to 2) may change anything; the changelog lists what changed and how to upgrade.
* Before 1.0 a minor release counts as a major one.

Of ``Context`` the promise covers ``run_id``, ``step_id``, ``timeout_s``, ``clock``, ``http``,
``catalogue``, ``effect``, ``service()``, ``source()`` and ``get_json()``; its other fields serve the
plugins that ship.  Part of the promise are also ``bot.testing``, the entry point group
``pilothouse.plugins``, the name ``module.function`` of a plugin, and the way that its keyword-only
parameters are checked.  Modules that are not named here may change in any release.
"""

from __future__ import annotations

from bot.domain.clock import Clock
from bot.domain.diagnoses.change import Change, ChangeKind
from bot.domain.diagnoses.finding import Evidence, Facts, Finding, FindingKind, Findings, Measurement
from bot.domain.errors import (
    ActionFailedError,
    ActionInDoubtError,
    BotError,
    ProbeGarbageError,
    ProbeNotConfiguredError,
    ProbeUnavailableError,
    StaleEpochError,
    UnknownServiceError,
)
from bot.domain.model import JsonObject, JsonValue
from bot.domain.runs.effect import ActionResult, Effect
from bot.engine.plugins import Context, action, probe

__all__ = [
    "ActionFailedError",
    "ActionInDoubtError",
    "ActionResult",
    "BotError",
    "Change",
    "ChangeKind",
    "Clock",
    "Context",
    "Effect",
    "Evidence",
    "Facts",
    "Finding",
    "FindingKind",
    "Findings",
    "JsonObject",
    "JsonValue",
    "Measurement",
    "ProbeGarbageError",
    "ProbeNotConfiguredError",
    "ProbeUnavailableError",
    "StaleEpochError",
    "UnknownServiceError",
    "action",
    "probe",
]
