"""Writes the generated pages of docs/reference from the code; ``--check`` fails when one is stale."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
INSTALL_PAGE = ROOT / "docs" / "how-to" / "install-in-slack.md"
_OWN_HELP = "show this help message and exit"
WRITTEN_BY = "<!-- Written by `make reference`; edit the code instead. -->"

sys.path.insert(0, str(ROOT))

import reference_judge  # noqa: E402
from prometheus_client import CollectorRegistry  # noqa: E402

import handlers  # noqa: E402  # the checkout's own, wherever this is called from
from bot import settings  # noqa: E402
from bot.__main__ import commands  # noqa: E402
from bot.adapters.observability.health import StoreGauges  # noqa: E402
from bot.adapters.observability.meters import Meters  # noqa: E402
from bot.adapters.slack.manifest import DEFAULT_NAME, manifest_of  # noqa: E402
from bot.commands.manifest import link_of  # noqa: E402
from bot.engine.plugins import Plugin, modules_of, scan  # noqa: E402
from bot.targets.registry import kinds_in  # noqa: E402


def main(arguments: list[str]) -> int:
    """Write or check every page; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    check = parser.parse_args(arguments).check
    stale = [path for path, text in pages() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'is stale; run `make reference`' if check else 'written'}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dict(pages())[path], encoding="utf-8")
    return 1 if check and stale else 0


def pages() -> Iterator[tuple[Path, str]]:
    """Render every page."""
    yield PAGES / "settings.md", _page(_settings())
    yield PAGES / "plugins.md", _page(_plugins())
    yield PAGES / "targets.md", _page(_targets())
    yield PAGES / "commands.md", _page(_commands())
    yield PAGES / "judge.md", _page(reference_judge.lines())
    yield PAGES / "metrics.md", _page(_metrics())
    yield INSTALL_PAGE, _with_link(INSTALL_PAGE.read_text(encoding="utf-8"))


def _with_link(page: str) -> str:
    """Return a page with its link that creates the Slack app brought up to date."""
    link = link_of(manifest_of(handlers.modules(), name=DEFAULT_NAME, url=""))
    return re.sub(r"https://api\.slack\.com/apps\?new_app=1&manifest_json=[^)\s]+", lambda _: link, page)


def _page(lines: Iterable[str]) -> str:
    text = "\n".join([WRITTEN_BY, "", *lines]).rstrip() + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


# --- settings ----------------------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield (
        "Every setting is an environment variable, read once when a process starts. A variable that begins "
        f"with `{settings.PREFIX}` and is not listed here is an error, so that a misspelt one cannot go "
        "unnoticed. An empty variable counts as not set. No secret is ever printed or logged."
    )
    yield ""
    yield "| Variable | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    schemas = settings.Settings.model_json_schema()["properties"]
    for name, field in settings.Settings.model_fields.items():
        schema = schemas[name]
        yield _row(
            f"`{settings.variable(name)}`",
            _setting_type(schema),
            _default(schema),
            field.description or "",
        )


def _setting_type(schema: Mapping[str, Any]) -> str:
    if any(option.get("writeOnly") for option in schema.get("anyOf", ())):
        return "secret"
    if schema.get("type") == "array":
        return "paths"
    return "path" if schema.get("format") == "path" else _type(schema)


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    if value in (None, ""):
        return ""
    return f"`{':'.join(value) if isinstance(value, list) else _literal(value)}`"


# --- probes and actions ------------------------------------------------------------------------------------


def _plugins() -> Iterator[str]:
    found = scan("bot.probes", "bot.actions", third_parties=False)
    yield "# Probes and actions"
    yield ""
    yield (
        "What the steps of a runbook can call. A **probe** reads and changes nothing; an **action** changes "
        "something, at most once for each step of a run. Each family is one file in `bot/probes/` or "
        "`bot/actions/`; [CONTRIBUTING](../../CONTRIBUTING.md) says how to add one."
    )
    for kind, title in (("probe", "Probes"), ("action", "Actions")):
        yield from ("", f"## {title}")
        for plugin in found.of_kind(kind):  # type: ignore[arg-type]
            yield from _plugin(plugin)


def _plugin(plugin: Plugin) -> Iterator[str]:
    yield from ("", f"### `{plugin.name}`", "", f"Specialist: {plugin.specialist}")
    if plugin.deprecated:
        yield from ("", f"**Deprecated**, and removed in the next release: use `{plugin.deprecated}`.")
    if plugin.kind == "action":
        yield from ("", f"When it is not known whether it happened: {_doubt(plugin)}.")
    text, raises = _docstring(plugin)
    yield from ("", text, "")
    schema = plugin.params.model_json_schema()
    if schema.get("properties"):
        yield "| Parameter | Type | Default |"
        yield "|---|---|---|"
    for name, field in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        yield _row(
            f"`{name}`", _type(field), "required" if required else f"`{_literal(field.get('default'))}`"
        )
    if raises:
        yield from ("", "It fails with:", "", *(f"- `{name}`: {why}" for name, why in raises))


def _doubt(plugin: Plugin) -> str:
    look = "its target is looked at first; " if plugin.look else ""
    return look + ("it is safe to repeat" if plugin.in_doubt == "retry" else "a person is asked")


def _docstring(plugin: Plugin) -> tuple[str, list[tuple[str, str]]]:
    """Take a docstring apart: its text as Markdown, and what is raised when."""
    whole = inspect.getdoc(plugin.function) or ""
    text, _, section = whole.partition("\nRaises:\n")
    text = text.partition("\nReturns:\n")[0]
    raises = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", section, flags=re.MULTILINE)
    return _markdown(text), [(name, _markdown(re.sub(r"\s+", " ", why))) for name, why in raises]


def _markdown(text: str) -> str:
    return text.strip().replace("``", "`")


# --- targets -----------------------------------------------------------------------------------------------


def _targets() -> Iterator[str]:
    yield "# Targets"
    yield ""
    yield (
        "The kinds of target that ship, with their settings under `target:` of a service; "
        "[Deploy to your own target](../how-to/deploy-targets.md) explains them. Every value is text. "
        "Where a service has several and a step names none with `by`, the first one here is meant."
    )
    for kind in kinds_in(modules_of("bot.targets", third_parties=False)).values():
        yield from ("", f"## `{kind.name}`", "", _markdown(inspect.getdoc(kind.settings) or ""), "")
        yield "| Setting | Type | Default | Meaning |"
        yield "|---|---|---|---|"
        schema = kind.settings.model_json_schema(by_alias=True)
        for name, field in schema["properties"].items():
            default = "required" if name in schema.get("required", ()) else _default(field)
            yield _row(f"`{name}`", _setting_type(field), default, field.get("description", ""))


# --- commands ----------------------------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    yield from ("# Commands", "", "## In Slack", "", "| What | Does |", "|---|---|")
    for module in handlers.modules():
        if hasattr(module, "COMMAND"):
            yield _row(f"`{module.COMMAND} {module.USAGE}`".replace(" `", "`"), f"{module.SUMMARY}.")
        if hasattr(module, "SHORTCUT"):
            yield _row(f"message shortcut *{module.SHORTCUT}*", f"{module.SHORTCUT_SUMMARY}.")
    yield from ("", "## On the command line", "", "Each is called as `pilothouse NAME`.")
    for module in commands():
        yield from _command(module)


def _command(module: ModuleType) -> Iterator[str]:
    parser = argparse.ArgumentParser(prog=f"pilothouse {module.NAME}", add_help=False)
    module.configure(parser)
    yield from ("", f"### `{parser.prog}`", "", module.SUMMARY)
    yield from _arguments(parser)
    for verbs in _verbs(parser):
        said = {choice.dest: choice.help or "" for choice in verbs._choices_actions}  # noqa: SLF001  # argparse has no public list
        for name, verb in verbs.choices.items():
            yield from ("", f"#### `{parser.prog} {name}`", "", f"{said[name][:1].upper()}{said[name][1:]}.")
            yield from _arguments(verb)


def _verbs(parser: argparse.ArgumentParser) -> list[Any]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001  # as above


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    told = [action for action in parser._actions if action.help not in (argparse.SUPPRESS, _OWN_HELP)]  # noqa: SLF001  # as above
    options = [action for action in told if action not in _verbs(parser)]
    if options:
        yield from ("", "| Argument | Default | Meaning |", "|---|---|---|")
    for option in options:
        yield _row(
            f"`{_spelt(option)}`",
            _option_default(option),
            (option.help or "") % {**vars(option), "prog": parser.prog},
        )


def _spelt(option: argparse.Action) -> str:
    value = option.metavar if isinstance(option.metavar, str) else (option.dest or "").upper()
    if option.choices:
        value = "|".join(str(choice) for choice in option.choices)
    if not option.option_strings:
        return value
    names = ", ".join(option.option_strings)
    return names if option.nargs == 0 else f"{names} {value}"


def _option_default(option: argparse.Action) -> str:
    if option.default in (None, False, [], (), "") or option.default is argparse.SUPPRESS:
        return ""
    return f"`{option.default}`"


# --- metrics -----------------------------------------------------------------------------------------------


def _metrics() -> Iterator[str]:
    yield from ("# Metrics", "")
    yield (
        "A process with `web` serves them at `/metrics` of its port, one without it on "
        "`PILOTHOUSE_METRICS_PORT`. [Operate the bot](../how-to/operate.md) has alert rules."
    )
    process, store = Meters().registry, CollectorRegistry()
    StoreGauges(store)
    yield from ("", "## Of each process", "", "Add them up over all processes.", "", *_families(process))
    yield from ("", "## Of the store", "")
    yield from ("Read from Redis at each scrape, and the same in every process: take the maximum.", "")
    yield from _families(store)


def _families(registry: CollectorRegistry) -> Iterator[str]:
    yield from ("| Metric | Type | Labels | Meaning |", "|---|---|---|---|")
    for collector in registry._collector_to_names:  # noqa: SLF001  # the registry has no public list
        (family,) = collector.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(f"`{label}`" for label in collector._labelnames)  # type: ignore[attr-defined]  # noqa: SLF001  # as above
        yield _row(f"`{name}`", family.type, labels, family.documentation)


# --- words -------------------------------------------------------------------------------------------------


def _type(schema: Mapping[str, Any]) -> str:
    """Write a JSON schema's type as a word or two."""
    if "anyOf" in schema:
        return " or ".join(
            dict.fromkeys(_type(option) for option in schema["anyOf"] if option.get("type") != "null")
        )
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("format") == "date-time":
        return "moment (ISO 8601 with offset)"
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema.get('items', {}))}"
        case "object":
            values = schema.get("additionalProperties")
            return f"mapping to {_type(values)}" if isinstance(values, dict) else "mapping"
        case "string":
            return "text"
        case "integer" | "number" as kind:
            return {"integer": "whole number", "number": "number"}[kind] + _range(schema)
        case "boolean":
            return "true or false"
        case _:
            return "any"


def _range(schema: Mapping[str, Any]) -> str:
    parts = (
        ("from", schema.get("minimum")),
        ("above", schema.get("exclusiveMinimum")),
        ("to", schema.get("maximum")),
        ("below", schema.get("exclusiveMaximum")),
    )
    said = " ".join(f"{word} {_literal(limit)}" for word, limit in parts if limit is not None)
    return f", {said}" if said else ""


def _literal(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:.12g}"
    return '""' if value == "" else str(value)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
