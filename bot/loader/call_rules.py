"""The rules for one call of a plugin: it exists, is of the right kind, and takes these arguments."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.domain.model import JsonObject, JsonValue
from bot.domain.nearest import did_you_mean
from bot.domain.runs.runbook import Check, PluginCall
from bot.engine.plugins import Plugin
from bot.loader.schema_errors import place_of
from bot.loader.template_refs import TemplatePlace, result_of
from bot.loader.yaml_positions import Where
from bot.templating.templates import is_template


def check_call(spot: TemplatePlace, call: PluginCall) -> Plugin | None:
    """Check one call and return its plugin, if it exists."""
    return check_plugin(spot, "action" if call.is_action else "probe", call.plugin, call.arguments)


def check_plugin(
    spot: TemplatePlace, kind: Literal["probe", "action"], name: str, arguments: JsonObject
) -> Plugin | None:
    """Check a plugin's name, kind and arguments; return the plugin, if it exists."""
    plugin = spot.plugins.by_name.get(name)
    if plugin is None:
        known = [other.name for other in spot.plugins.of_kind(kind)]
        spot.at(kind).report(f"no {kind} is called `{name}`{did_you_mean(name, known)}")
    elif plugin.kind != kind:
        article = "an action" if plugin.kind == "action" else "a probe"
        spot.at(kind).report(f"`{name}` is {article}, not {'a' if kind == 'probe' else 'an'} {kind}")
    else:
        _check_arguments(spot.at("with"), plugin, arguments)
    for argument, value in arguments.items():
        spot.at("with", argument).check_value(value)
    return plugin


def check_expectation(spot: TemplatePlace, check: Check) -> None:
    """Check one probe with its expectation."""
    plugin = check_plugin(spot, "probe", check.probe, check.arguments)
    made = result_of(plugin) if plugin is not None and plugin.kind == "probe" else None
    spot.at("expect").knowing("result", result=made).check_expression(check.expect)


def _check_arguments(spot: TemplatePlace, plugin: Plugin, arguments: JsonObject) -> None:
    literal = {name: value for name, value in arguments.items() if not _holds_template(value)}
    try:
        plugin.params.model_validate(literal)
    except ValidationError as error:
        _report_misfits(spot, plugin, arguments, error.errors(include_url=False))
    for name in arguments:
        if name not in plugin.params.model_fields and name not in literal:
            _report_unknown(spot, plugin, name)
    service = literal.get("service")
    if isinstance(service, str) and spot.catalogue is not None and service not in spot.catalogue.names:
        known = did_you_mean(service, spot.catalogue.names)
        spot.at("service").report(f"the catalogue has no service `{service}`{known}")


def _report_misfits(
    spot: TemplatePlace, plugin: Plugin, arguments: JsonObject, details: list[ErrorDetails]
) -> None:
    """Report invalid arguments, once for each place."""
    misfits: dict[Where, list[str]] = {}
    for detail in details:
        name = str(detail["loc"][0])
        if detail["type"] == "missing" and len(detail["loc"]) == 1:
            if name not in arguments:
                spot.report(f"`{name}` is missing: {plugin.name} needs it")
        elif detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
            _report_unknown(spot, plugin, name)
        else:
            misfits.setdefault(place_of(arguments, detail["loc"]), []).append(_in_words(detail))
    for place, said in misfits.items():
        spot.at(*place).report(", or ".join(dict.fromkeys(said)))


def _in_words(detail: ErrorDetails) -> str:
    text = detail["msg"].replace("Input should be", "must be")
    quote = detail["type"] == "string_type" and isinstance(detail["input"], int | float)
    return text[:1].lower() + text[1:] + ("; put it in quotes" if quote else "")


def _report_unknown(spot: TemplatePlace, plugin: Plugin, name: str) -> None:
    params: type[BaseModel] = plugin.params
    meant = did_you_mean(name, params.model_fields) or _list_of(params)
    spot.report(f"no parameter `{name}` in {plugin.name}{meant}", at=(*spot.where, name))


def _list_of(params: type[BaseModel]) -> str:
    names = ", ".join(f"`{name}`" for name in params.model_fields)
    return f"; it takes {names}" if names else "; it takes none"


def _holds_template(value: JsonValue) -> bool:
    if isinstance(value, str):
        return is_template(value)
    if isinstance(value, list):
        return any(_holds_template(item) for item in value)
    if isinstance(value, dict):
        return any(_holds_template(item) for item in value.values())
    return False
