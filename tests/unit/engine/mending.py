"""A sound runbook, the plugins it names, and how tests load it or a broken copy of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnoses.finding import Facts, Findings, Measurement
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, Plugin, Plugins, params_of
from bot.loader.loader import LoadedLibrary, RunbooksInvalidError, load_runbooks
from bot.loader.yaml_positions import Problem

CATALOGUE = Catalogue(services=(Service(name="checkout"), Service(name="payments")))


async def facts(ctx: Context, *, service: str) -> Facts:
    """Read the ground."""
    return Facts(summary=service)


async def anomalies(ctx: Context, *, service: str, since_s: float = 1800, steps: int | str = 0) -> Findings:
    """Look for what is unusual."""
    return Findings(looked_at=service)


async def ratio(ctx: Context, *, service: str, window_s: float = 10) -> Measurement:
    """Measure the share of errors."""
    return Measurement(value=0, unit="ratio", at=ctx.clock.now(), text=service)


async def shift(ctx: Context, *, service: str, weights: dict[str, int]) -> ActionResult:
    """Move traffic."""
    return ActionResult(summary=service)


async def restart(ctx: Context, *, service: str, version: str = "") -> ActionResult:
    """Restart it."""
    return ActionResult(summary=service)


def plugin(name: str, kind: Literal["probe", "action"], function: Any) -> Plugin:
    return Plugin(
        name=name, kind=kind, specialist="s", function=function, params=params_of(function), summary="s"
    )


PLUGINS = Plugins(
    {
        p.name: p
        for p in (
            plugin("ground.facts", "probe", facts),
            plugin("prometheus.anomalies", "probe", anomalies),
            plugin("prometheus.ratio", "probe", ratio),
            plugin("haproxy.shift", "action", shift),
            plugin("supervisor.restart", "action", restart),
        )
    }
)

GOOD = """\
name: mend
summary: Finds and mends.
params:
  service: {type: service, required: true}
  since: {type: duration, default: 30m}
  note: {}
phases:
  - id: ground
    kind: explore
    steps:
      - id: facts
        probe: ground.facts
        with: {service: "{{ params.service }}"}
  - id: evidence
    kind: fan_out
    deadline_s: 4
    steps:
      - id: metrics
        probe: prometheus.anomalies
        with:
          service: "{{ params.service }}"
          since_s: "{{ params.since }}"
      - id: others
        for_each: service.depends_on
        probe: prometheus.anomalies
        with: {service: "{{ item }}"}
  - id: diagnosis
    kind: reduce
    reducer: rank_causes
    over: [evidence]
    with: {since_s: "{{ params.since }}"}
  - id: remedy
    kind: plan
    diagnosis: diagnosis
    remedies:
      bad_release:
        - when: cause.data.version is defined
          summary: Roll {{ cause.service }} back
          risk: Some.
          steps:
            - id: back
              title: Roll {{ cause.service }} back
              action: haproxy.shift
              with: {service: "{{ cause.service }}", weights: {stable: 100, candidate: 0}}
              undo:
                action: haproxy.shift
                with: {service: "{{ cause.service }}", weights: "{{ result.before.weights }}"}
        - summary: Restart it
          steps:
            - id: restart
              action: supervisor.restart
              with: {service: "{{ cause.service }}"}
              no_undo: A restart cannot be taken back.
    verify:
      - id: errors
        probe: prometheus.ratio
        with: {service: "{{ params.service }}"}
        expect: result.value <= 0.02
  - id: fix
    kind: pipeline
    plan: remedy
    approval: {expires_s: 600}
  - id: watch
    kind: background
    after: fix
    for_s: settings.watch_s
    on_breach: mend
    checks:
      - id: errors
        probe: prometheus.ratio
        with: {service: "{{ params.service }}"}
        expect: result.value <= 0.02
"""


OF_PLAN = """\
name: deploy
summary: Does steps that were planned.
params:
  service: {type: service, required: true}
phases:
  - id: outline
    kind: plan
    of: act
  - id: ground
    kind: explore
    steps:
      - {id: facts, probe: ground.facts, with: {service: "{{ params.service }}"}}
  - id: act
    kind: pipeline
    approval: {}
    watch:
      - {id: beside, probe: prometheus.ratio, with: {service: checkout}, expect: result.value < 1}
    steps:
      - id: one
        title: Restart {{ params.service }}
        action: supervisor.restart
        with: {service: "{{ params.service }}"}
        no_undo: It is a restart.
        verify:
          - {id: good, probe: prometheus.ratio, with: {service: checkout}, expect: result.value < 1}
"""


def load(folder: Path, *texts: str) -> LoadedLibrary:
    for number, text in enumerate(texts):
        (folder / f"r{number}.yaml").write_text(text, encoding="utf-8")
    return load_runbooks([folder], plugins=PLUGINS, services=CATALOGUE)


def problems(folder: Path, *texts: str) -> tuple[Problem, ...]:
    with pytest.raises(RunbooksInvalidError) as caught:
        load(folder, *texts)
    return caught.value.problems


Break = tuple[str, str, str, str, str]
"""What is broken, the sound text, the broken text with `#!` on the line to be named, where, what is said."""

MORE = """\
  - id: more
    kind: explore
    steps:
      - {id: facts, probe: ground.facts, with: {service: checkout}}
"""


def told_alone(tmp_path: Path, sound: str, broken: str, where: str, text: str) -> None:
    """Break the sound runbook at one place; only that is told, with its file and line."""
    good = GOOD + MORE
    assert good.count(sound) >= 1, "the sound text is not in the runbook"
    bad = good.replace(sound, broken, 1)
    found = problems(tmp_path, bad)
    assert [(p.where, p.text) for p in found if p.text == text] == [(where, text)], list(map(str, found))
    assert len(found) == 1, list(map(str, found))
    line = next((n for n, content in enumerate(bad.splitlines(), 1) if "#!" in content), None)
    problem = next(p for p in found if p.text == text)
    if line is not None:
        assert problem.line == line
    assert str(problem) == f"{problem.file}:{problem.line}: {where}: {text}"
