"""Probes and actions: how they are declared, found, checked and called."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Literal, get_type_hints

import httpx
from pydantic import BaseModel, ConfigDict, create_model

from bot.domain.address import without_login
from bot.domain.catalogue import Catalogue, Service
from bot.domain.clock import Clock
from bot.domain.diagnoses.finding import Facts, Findings, Measurement
from bot.domain.errors import (
    ProbeGarbageError,
    ProbeNotConfiguredError,
    ProbeUnavailableError,
    RunbookError,
)
from bot.domain.model import JsonObject, JsonValue
from bot.domain.people import Person
from bot.domain.runs.effect import ActionResult, Effect
from bot.engine.stores import Stores
from bot.ports.alerts import AlertHistory
from bot.ports.flags import FlagStore
from bot.ports.gates import Gatekeeper
from bot.ports.heartbeats import JobHistory
from bot.ports.ledger import ChangeLedger

ENTRY_POINT_GROUP = "pilothouse.plugins"
_LEAVES = frozenset({"probes", "actions"})
"""Names of the files that declare the plugins of a folder."""
_MARK = "__pilothouse_plugin__"
_MAX_BODY = 20_000_000

PluginFunction = Callable[..., Awaitable[Any]]
Look = Callable[..., Awaitable[ActionResult | None]]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a plugin may use of the outside."""

    run_id: str
    step_id: str
    timeout_s: float
    """Seconds until the engine stops the step; network calls should give up a little earlier."""
    clock: Clock
    http: httpx.AsyncClient
    catalogue: Catalogue
    stores: Stores = field(repr=False)
    """Not for plugins: they use the properties below."""
    gatekeeper: Gatekeeper
    """What the bot itself knows that keeps services from being deployed."""
    plugins: Plugins
    """For a probe that calls other probes, as a checklist does."""
    effect: Effect | None = None
    """Set for actions: the idempotency key and the fencing token."""
    asker: Person | None = None
    """Who asks a gate outside a run; within a run it is who requested the run."""

    @property
    def ledger(self) -> ChangeLedger:
        """The bot's own record of changes."""
        return self.stores.ledger

    @property
    def pulses(self) -> JobHistory:
        """The state of the jobs that report by heartbeat."""
        return self.stores.heartbeats

    @property
    def alarms(self) -> AlertHistory:
        """The alerts that were reported to the bot."""
        return self.stores.alerts

    @property
    def flags(self) -> FlagStore:
        """The feature flags that the bot keeps."""
        return self.stores.flags

    def service(self, name: str) -> Service:
        """Return a service of the catalogue.

        Raises:
            UnknownServiceError: the catalogue has no service of that name.
        """
        return self.catalogue.get(name)

    def source(self, service: str, kind: str) -> Mapping[str, str]:
        """Return the settings of a service's data source of one ``kind``, such as ``prometheus``.

        Raises:
            ProbeNotConfiguredError: the catalogue names no such source.
        """
        found = self.service(service).sources.get(kind)
        if not found:
            raise ProbeNotConfiguredError(f"{service} has no `{kind}` source in the catalogue.")
        return found

    async def get_json(self, url: str, *, params: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401  # JSON
        """Fetch JSON by GET within the step's time.

        Raises:
            ProbeUnavailableError: no answer, or one that is not 2xx.
            ProbeGarbageError: a 2xx answer that is not JSON.
        """
        named = without_login(url)
        try:
            response = await self.http.get(url, params=params, timeout=self.timeout_s)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProbeUnavailableError(f"{named} does not answer: {type(error).__name__}.") from error
        if not response.is_success:
            raise ProbeUnavailableError(f"{named} answered {response.status_code}.")
        if len(response.content) > _MAX_BODY:
            raise ProbeGarbageError(f"{named} answered {len(response.content)} bytes.")
        try:
            return response.json()
        except ValueError as error:
            raise ProbeGarbageError(f"{named} did not answer with JSON.") from error


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A probe or action as the engine sees it."""

    name: str
    """Module and function, such as ``prometheus.anomalies``."""
    kind: Literal["probe", "action"]
    specialist: str
    function: PluginFunction
    params: type[BaseModel]
    summary: str
    in_doubt: Literal["retry", "ask"] = "ask"
    """When the action offers no way to check: repeat it (idempotent target) or ask a person."""
    look: Look | None = None
    """Verifies the effect: returns the result if the effect is there, else none."""
    deprecated: str = ""
    """The plugin to use instead; empty unless this one is removed in the next release."""

    def check(self, arguments: Mapping[str, JsonValue]) -> JsonObject:
        """Return the arguments after validation.

        Raises:
            ValidationError: a name is unknown or missing, or a value is of the wrong form.
        """
        self.params.model_validate(arguments)
        return dict(arguments)

    async def call(
        self, ctx: Context, arguments: Mapping[str, JsonValue]
    ) -> Findings | Measurement | Facts | ActionResult:
        """Run the plugin with checked arguments."""
        result: Findings | Measurement | Facts | ActionResult = await self.function(
            ctx, **self._values(arguments)
        )
        return result

    async def look_at(self, ctx: Context, arguments: Mapping[str, JsonValue]) -> ActionResult | None:
        """Return the result if the effect is already there; none if not, or if it cannot be verified."""
        return None if self.look is None else await self.look(ctx, **self._values(arguments))

    def _values(self, arguments: Mapping[str, JsonValue]) -> dict[str, Any]:
        model = self.params.model_validate(arguments)
        return {name: getattr(model, name) for name in type(model).model_fields}


@dataclass(kw_only=True)
class _Mark:
    kind: Literal["probe", "action"]
    specialist: str
    in_doubt: Literal["retry", "ask"] = "ask"
    look: Look | None = None
    deprecated: str = ""


def probe(*, specialist: str) -> Callable[[PluginFunction], PluginFunction]:
    """Declare a probe: it returns ``Findings``, a ``Measurement`` or ``Facts``, and changes nothing."""

    def mark(function: PluginFunction) -> PluginFunction:
        setattr(function, _MARK, _Mark(kind="probe", specialist=specialist))
        return function

    return mark


def action(
    *,
    specialist: str,
    in_doubt: Literal["retry", "ask"] = "ask",
    look: Look | None = None,
    deprecated: str = "",
) -> Callable[[PluginFunction], PluginFunction]:
    """Declare an action: it changes the world at most once per ``ctx.effect.key`` and returns its result.

    ``look`` takes the same arguments and returns whether the effect is already there.  ``deprecated`` names
    the plugin to use instead of one that is removed in the next release.
    """

    def mark(function: PluginFunction) -> PluginFunction:
        made = _Mark(
            kind="action", specialist=specialist, in_doubt=in_doubt, look=look, deprecated=deprecated
        )
        setattr(function, _MARK, made)
        return function

    return mark


@dataclass(frozen=True)
class Plugins:
    """Every plugin found, by name."""

    by_name: Mapping[str, Plugin] = field(default_factory=dict)

    def get(self, name: str) -> Plugin:
        """Return a plugin.

        Raises:
            RunbookError: no plugin has that name.
        """
        try:
            return self.by_name[name]
        except KeyError:
            raise RunbookError(f"no plugin is called `{name}`") from None

    def of_kind(self, kind: Literal["probe", "action"]) -> tuple[Plugin, ...]:
        """List the probes, or the actions, by name."""
        return tuple(sorted((p for p in self.by_name.values() if p.kind == kind), key=lambda p: p.name))


def params_of(function: PluginFunction) -> type[BaseModel]:
    """Turn a plugin's keyword-only parameters into a model that refuses unknown names."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise RunbookError(f"{function.__qualname__}: `{parameter.name}` must be keyword-only")
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(
        f"{function.__name__}_params", __config__=ConfigDict(extra="forbid", frozen=True), **fields
    )


def plugins_in(module: ModuleType, *, family: str = "") -> Iterable[Plugin]:
    """Yield the plugins that a module declares; by default their family is the module's file or folder."""
    family = family or _family_of(module.__name__)
    for name, function in vars(module).items():
        mark = getattr(function, _MARK, None)
        if not isinstance(mark, _Mark) or function.__module__ != module.__name__:
            continue
        yield Plugin(
            name=f"{family}.{name}",
            kind=mark.kind,
            specialist=mark.specialist,
            function=function,
            params=params_of(function),
            summary=(inspect.getdoc(function) or "").partition("\n")[0],
            in_doubt=mark.in_doubt,
            look=mark.look,
            deprecated=mark.deprecated,
        )


def _family_of(module: str) -> str:
    *folders, last = module.split(".")
    return folders[-1] if last in _LEAVES else last


def _modules_of(package: str) -> Iterable[tuple[ModuleType, str]]:
    """Yield each module that may declare plugins, with the family of its plugins.

    A family is a file, ``bot/probes/tcp.py``, or a folder, ``bot/probes/postgres/``, whose plugins are in a
    file named like ``package``, ``bot/probes/postgres/probes.py``.  Names that begin with ``_`` are
    passed over.
    """
    root = importlib.import_module(package)
    leaf = package.rpartition(".")[2]
    for found in sorted(pkgutil.iter_modules(root.__path__), key=lambda found: found.name):
        if not found.name.startswith("_"):
            name = f"{package}.{found.name}.{leaf}" if found.ispkg else f"{package}.{found.name}"
            yield importlib.import_module(name), found.name


def modules_of(*packages: str, third_parties: bool = True) -> list[ModuleType]:
    """Import and return every module of ``packages``, by name, and then those of the entry points."""
    modules: list[ModuleType] = []
    for package in packages:
        root = importlib.import_module(package)
        names = (f"{package}.{found.name}" for found in pkgutil.iter_modules(root.__path__))
        modules.extend(importlib.import_module(name) for name in sorted(names))
    if third_parties:
        modules.extend(point.load() for point in entry_points(group=ENTRY_POINT_GROUP))
    return modules


def scan(*packages: str, third_parties: bool = True) -> Plugins:
    """Import every module of ``packages`` and of the entry points, and collect their plugins.

    Raises:
        RunbookError: two plugins have the same name, or a parameter is not keyword-only.
    """
    modules: list[tuple[ModuleType, str]] = []
    for package in packages:
        modules.extend(_modules_of(package))
    if third_parties:
        loaded = (point.load() for point in entry_points(group=ENTRY_POINT_GROUP))
        modules.extend((module, module.__name__.rpartition(".")[2]) for module in loaded)
    found: dict[str, Plugin] = {}
    for module, family in modules:
        for plugin in plugins_in(module, family=family):
            if plugin.name in found:
                raise RunbookError(f"two plugins are called `{plugin.name}`")
            found[plugin.name] = plugin
    return Plugins(found)
