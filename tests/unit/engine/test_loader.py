"""The loader: a sound runbook loads, and each rule is broken once, alone, with the file and line in the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.catalogue import Catalogue, Service
from bot.domain.effect import Done
from bot.domain.errors import NotFoundError
from bot.domain.finding import Facts, Findings, Measurement
from bot.engine.loader import LoadedLibrary, RunbooksInvalidError, load_runbooks
from bot.engine.marked_yaml import Problem
from bot.engine.plugins import Context, Plugin, Plugins, params_of

CATALOGUE = Catalogue(services=(Service(name="checkout"), Service(name="payments")))


async def facts(ctx: Context, *, service: str) -> Facts:
    """Read the ground."""
    return Facts(summary=service)


async def anomalies(ctx: Context, *, service: str, since_s: float = 1800, deep: bool = False) -> Findings:
    """Look for what is unusual."""
    return Findings(looked_at=service)


async def ratio(ctx: Context, *, service: str, window_s: float = 10) -> Measurement:
    """Measure the share of errors."""
    raise NotImplementedError


async def shift(ctx: Context, *, service: str, weights: dict[str, int]) -> Done:
    """Move traffic."""
    return Done(summary=service)


async def restart(ctx: Context, *, service: str, version: str = "") -> Done:
    """Restart it."""
    return Done(summary=service)


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


def load(folder: Path, *texts: str) -> LoadedLibrary:
    for number, text in enumerate(texts):
        (folder / f"r{number}.yaml").write_text(text, encoding="utf-8")
    return load_runbooks([folder], plugins=PLUGINS, services=CATALOGUE)


def problems(folder: Path, *texts: str) -> tuple[Problem, ...]:
    with pytest.raises(RunbooksInvalidError) as caught:
        load(folder, *texts)
    return caught.value.problems


def test_a_sound_runbook_loads(tmp_path: Path) -> None:
    library = load(tmp_path, GOOD)
    assert library.names() == ("mend",)
    assert [phase.kind for phase in library.get("mend").phases] == [
        "explore",
        "fan_out",
        "reduce",
        "plan",
        "pipeline",
        "background",
    ]
    assert library.files["mend"].endswith("r0.yaml")


def test_the_default_of_a_duration_arrives_in_seconds(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).get("mend").params["since"].default == 1800.0


def test_folders_are_searched_to_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "mend.yaml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no runbook")
    assert load_runbooks([tmp_path, tmp_path / "a"], plugins=PLUGINS).names() == ("mend",)


def test_an_unknown_runbook_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean `mend`"):
        load(tmp_path, GOOD).get("mnd")


# (what is broken, the sound text, the broken text with `#!` on the line to be named, where, what is said)
BREAKS: list[tuple[str, str, str, str, str]] = [
    (
        "an unknown plugin",
        "probe: ground.facts",
        "probe: ground.fact #!",
        "phases[0].steps[0].probe",
        "no probe is called `ground.fact` (did you mean `ground.facts`?)",
    ),
    (
        "an action called a probe",
        "probe: ground.facts",
        "probe: supervisor.restart #!",
        "phases[0].steps[0].probe",
        "`supervisor.restart` is an action, not a probe",
    ),
    (
        "a probe called an action",
        "action: supervisor.restart",
        "action: ground.facts #!",
        "phases[3].remedies.bad_release[1].steps[0].action",
        "`ground.facts` is a probe, not an action",
    ),
    (
        "an unknown argument",
        '          service: "{{ params.service }}"\n          since_s',
        '          service: "{{ params.service }}"\n          sevrice: checkout #!\n          since_s',
        "phases[1].steps[0].with",
        "no parameter `sevrice` in prometheus.anomalies (did you mean `service`?)",
    ),
    (
        "an unknown argument that holds a template",
        'since_s: "{{ params.since }}"\n      - id: others',
        'sinse_s: "{{ params.since }}" #!\n      - id: others',
        "phases[1].steps[0].with",
        "no parameter `sinse_s` in prometheus.anomalies (did you mean `since_s`?)",
    ),
    (
        "a missing argument",
        'probe: ground.facts\n        with: {service: "{{ params.service }}"}',
        "probe: ground.facts\n        with: {} #!",
        "phases[0].steps[0].with",
        "`service` is missing: ground.facts needs it",
    ),
    (
        "a literal of the wrong type",
        'since_s: "{{ params.since }}"\n      - id: others',
        "since_s: soon #!\n      - id: others",
        "phases[1].steps[0].with.since_s",
        "must be a valid number, unable to parse string as a number",
    ),
    (
        "a version without quotes",
        'with: {service: "{{ cause.service }}"}\n              no_undo',
        'with: {service: "{{ cause.service }}", version: 1.4} #!\n              no_undo',
        "phases[3].remedies.bad_release[1].steps[0].with.version",
        "must be a valid string; put it in quotes",
    ),
    (
        "a service that is not in the catalogue",
        'with: {service: "{{ item }}"}',
        "with: {service: chekout} #!",
        "phases[1].steps[1].with.service",
        "the catalogue has no service `chekout` (did you mean `checkout`?)",
    ),
    (
        "a template with a syntax error",
        'service: "{{ params.service }}"\n          since_s',
        'service: "{{ params. }}" #!\n          since_s',
        "phases[1].steps[0].with.service",
        "`params.`: expected name or number",
    ),
    (
        "a template without an end",
        'service: "{{ params.service }}"\n          since_s',
        'service: "{{ params.service" #!\n          since_s',
        "phases[1].steps[0].with.service",
        "`{{ params.service`: `{{` is not closed by `}}`",
    ),
    (
        "an unknown root",
        'service: "{{ params.service }}"\n          since_s',
        'service: "{{ parms.service }}" #!\n          since_s',
        "phases[1].steps[0].with.service",
        "`parms.service`: nothing is called `parms` here (did you mean `params`?)",
    ),
    (
        "a cause before there is a diagnosis",
        'service: "{{ params.service }}"\n          since_s',
        'service: "{{ cause.service }}" #!\n          since_s',
        "phases[1].steps[0].with.service",
        "`cause.service`: nothing is called `cause` here",
    ),
    (
        "an item without for_each",
        "        for_each: service.depends_on\n        probe: prometheus.anomalies\n        with:",
        "        probe: prometheus.anomalies\n        with:",
        "phases[1].steps[1].with.service",
        "`item`: nothing is called `item` here",
    ),
    (
        "an unknown parameter of the runbook",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ params.sinse }}"} #!',
        "phases[2].with.since_s",
        "`params.sinse`: the runbook has no parameter `sinse` (did you mean `since`?)",
    ),
    (
        "an unknown setting",
        "for_s: settings.watch_s",
        "for_s: settings.watch #!",
        "phases[5].for_s",
        "`settings.watch`: no setting `watch` can be read (did you mean `watch_s`?)",
    ),
    (
        "a password of the service",
        "for_each: service.depends_on",
        "for_each: service.sources #!",
        "phases[1].steps[1].for_each",
        "`service.sources`: there is no `sources`",
    ),
    (
        "a phase that does not exist",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ phases.evidense.outcome }}"} #!',
        "phases[2].with.since_s",
        "`phases.evidense.outcome`: there is no phase `evidense` (did you mean `evidence`?)",
    ),
    (
        "a phase that has not ended by then",
        "    kind: explore\n",
        "    kind: explore\n    when: phases.evidence.outcome == 'ok' #!\n",
        "phases[0].when",
        "`phases.evidence.outcome`: the phase `evidence` has not ended by then",
    ),
    (
        "a step that does not exist",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ phases.evidence.steps.metric.took_s }}"} #!',
        "phases[2].with.since_s",
        "`phases.evidence.steps.metric.took_s`: the phase `evidence` has no step `metric` (did you mean `metrics`?)",
    ),
    (
        "a field that a result does not have",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ phases.ground.steps.facts.result.value }}"} #!',
        "phases[2].with.since_s",
        "`phases.ground.steps.facts.result.value`: there is no `value`",
    ),
    (
        "an unknown field of the cause",
        "- when: cause.data.version is defined",
        "- when: cause.knd == 'x' #!",
        "phases[3].remedies.bad_release[0].when",
        "`cause.knd`: there is no `knd` (did you mean `kind`?)",
    ),
    (
        "an expression in braces",
        "- when: cause.data.version is defined",
        '- when: "{{ cause.data.version is defined }}" #!',
        "phases[3].remedies.bad_release[0].when",
        "an expression stands here, so leave the braces out",
    ),
    (
        "an expression that does not compile",
        "- when: cause.data.version is defined",
        "- when: cause.data.version is #!",
        "phases[3].remedies.bad_release[0].when",
        "`cause.data.version is`: unexpected end of template, expected 'name'",
    ),
    (
        "an expectation of what a measurement does not have",
        "expect: result.value <= 0.02\n  - id: fix",
        "expect: result.vlaue <= 0.02 #!\n  - id: fix",
        "phases[3].verify[0].expect",
        "`result.vlaue`: there is no `vlaue` (did you mean `value`?)",
    ),
    (
        "an undo that reads what an action does not return",
        'weights: "{{ result.before.weights }}"}',
        'weights: "{{ result.befor.weights }}"} #!',
        "phases[3].remedies.bad_release[0].steps[0].undo.with.weights",
        "`result.befor.weights`: there is no `befor` (did you mean `before`?)",
    ),
    (
        "a template in a title that nobody fills in",
        "      - id: facts\n",
        '      - id: facts\n        title: "{{ params.service }}" #!\n',
        "phases[0].steps[0].title",
        "`{{ … }}` is not filled in here: it is shown as it is written",
    ),
    (
        "an action in an explore phase",
        "        probe: ground.facts",
        "        action: supervisor.restart #!",
        "phases[0].steps[0].action",
        "`explore` only reads: put `supervisor.restart` into a `pipeline`",
    ),
    (
        "an action in a fan_out phase",
        (
            "      - id: metrics\n        probe: prometheus.anomalies\n        with:\n"
            '          service: "{{ params.service }}"\n          since_s: "{{ params.since }}"'
        ),
        (
            "      - id: metrics\n        action: supervisor.restart #!\n        with:\n"
            '          service: "{{ params.service }}"'
        ),
        "phases[1].steps[0].action",
        "`fan_out` asks nobody and undoes nothing: put `supervisor.restart` into a `pipeline`",
    ),
    (
        "an undo of a step that only reads",
        "        probe: ground.facts\n",
        "        probe: ground.facts\n        no_undo: Nothing happens. #!\n",
        "phases[0].steps[0].no_undo",
        "only a step of a `pipeline` or a remedy has `no_undo`",
    ),
    (
        "for_each outside of fan_out",
        "      - id: facts\n",
        "      - id: facts\n        for_each: range(2) #!\n",
        "phases[0].steps[0].for_each",
        "only a `fan_out` phase has `for_each`",
    ),
    (
        "two steps of one name",
        "- id: others",
        "- id: metrics #!",
        "phases[1].steps[1].id",
        "`metrics` is there twice in `steps`",
    ),
    (
        "two phases of one name",
        "- id: watch",
        "- id: ground #!",
        "phases[5].id",
        "`ground` is there twice in `phases`",
    ),
    (
        "a reduce over what does not exist",
        "over: [evidence]",
        "over: [evidense] #!",
        "phases[2].over[0]",
        "there is no phase `evidense` (did you mean `evidence`?)",
    ),
    (
        "a reduce over a later phase",
        "reducer: rank_causes\n    over: [evidence]",
        "reducer: rank_causes\n    over: [evidence, more] #!",
        "phases[2].over[1]",
        "`more` must come before this phase",
    ),
    (
        "a reduce over a phase of another kind",
        "over: [evidence]",
        "over: [evidence, fix] #!",
        "phases[2].over[1]",
        "`fix` is a `pipeline` phase; it must be a `explore` or `fan_out`",
    ),
    (
        "a diagnosis that is no reduce phase",
        "diagnosis: diagnosis",
        "diagnosis: evidence #!",
        "phases[3].diagnosis",
        "`evidence` is a `fan_out` phase; it must be a `reduce`",
    ),
    (
        "a remedy for an unknown cause",
        "      bad_release:\n",
        "      bad_relase: #!\n",
        "phases[3].remedies.bad_relase",
        "no kind of cause is called `bad_relase` (did you mean `bad_release`?)",
    ),
    (
        "a remedy that is never chosen",
        "        - when: cause.data.version is defined\n          summary: Roll",
        "        - summary: Roll",
        "phases[3].remedies.bad_release[1]",
        "is never chosen: one before it has no `when`",
    ),
    (
        "an action without an undo or a reason",
        (
            "            - id: restart\n              action: supervisor.restart\n"
            '              with: {service: "{{ cause.service }}"}\n'
            "              no_undo: A restart cannot be taken back.\n"
        ),
        (
            "            - id: restart #!\n              action: supervisor.restart\n"
            '              with: {service: "{{ cause.service }}"}\n'
        ),
        "phases[3].remedies.bad_release[1].steps[0]",
        "the action `supervisor.restart` needs an `undo`, or a `no_undo` that says why there is none",
    ),
    (
        "an undo and a reason for none",
        "              undo:\n",
        "              no_undo: Why not. #!\n              undo:\n",
        "phases[3].remedies.bad_release[0].steps[0].no_undo",
        "there is an `undo`; leave one of them out",
    ),
    (
        "an undo that is a probe",
        (
            '                action: haproxy.shift\n                with: {service: "{{ cause.service }}", '
            'weights: "{{ result.before.weights }}"}'
        ),
        "                probe: ground.facts #!\n                with: {service: checkout}",
        "phases[3].remedies.bad_release[0].steps[0].undo.probe",
        "an undo changes something back: name an `action`",
    ),
    (
        "a check that acts",
        (
            'probe: prometheus.ratio\n        with: {service: "{{ params.service }}"}\n'
            "        expect: result.value <= 0.02\n  - id: fix"
        ),
        (
            'probe: supervisor.restart #!\n        with: {service: "{{ params.service }}"}\n'
            "        expect: result.value <= 0.02\n  - id: fix"
        ),
        "phases[3].verify[0].probe",
        "`supervisor.restart` is an action, not a probe",
    ),
    (
        "two checks of one plan with one name",
        "              no_undo: A restart cannot be taken back.\n",
        (
            "              no_undo: A restart cannot be taken back.\n              verify:\n"
            "                - id: errors #!\n                  probe: prometheus.ratio\n"
            "                  with: {service: checkout}\n                  expect: result.value < 1\n"
        ),
        "phases[3].remedies.bad_release[1].steps[0].verify[0].id",
        "another check of the same plan is called `errors`",
    ),
    (
        "a pipeline of a plan that does not exist",
        "    plan: remedy\n    approval: {expires_s: 600}\n",
        "    plan: remdy #!\n    approval: {expires_s: 600}\n",
        "phases[4].plan",
        "there is no phase `remdy` (did you mean `remedy`?)",
    ),
    (
        "actions without an approval",
        "  - id: fix\n    kind: pipeline\n    plan: remedy\n    approval: {expires_s: 600}\n",
        "  - id: fix #!\n    kind: pipeline\n    plan: remedy\n",
        "phases[4]",
        "needs an `approval`: nobody is asked before the action `haproxy.shift`",
    ),
    (
        "steps beside a plan",
        "  - id: fix\n    kind: pipeline\n    plan: remedy\n",
        (
            "  - id: fix #!\n    kind: pipeline\n    plan: remedy\n"
            "    steps:\n      - {id: s, probe: ground.facts, with: {service: checkout}}\n"
        ),
        "phases[4]",
        "name a `plan` or list `steps`, not both",
    ),
    (
        "a watch after what is no pipeline",
        "after: fix",
        "after: remedy #!",
        "phases[5].after",
        "`remedy` is a `plan` phase; it must be a `pipeline`",
    ),
    (
        "a breach that starts an unknown runbook",
        "on_breach: mend",
        "on_breach: mned #!",
        "phases[5].on_breach",
        "there is no runbook `mned` (did you mean `mend`?)",
    ),
    (
        "a required parameter with a default",
        "service: {type: service, required: true}",
        "service: {type: service, required: true, default: checkout} #!",
        "params.service.default",
        "a required parameter has no default",
    ),
    (
        "a default that does not fit",
        "  note: {}",
        "  note: {type: integer, default: many} #!",
        "params.note.default",
        "does not fit the type `integer`",
    ),
    (
        "a default that is no duration",
        "since: {type: duration, default: 30m}",
        "since: {type: duration, default: soon} #!",
        "params.since.default",
        "`soon` is no duration such as `90s`, `30m`, `2h` or `1h30m`",
    ),
    (
        "a parameter that templates cannot name",
        "  note: {}",
        "  the-note: {} #!",
        "params.the-note",
        "a parameter's name is lower-case letters, digits and `_`, beginning with a letter",
    ),
    (
        "an unknown field",
        "    deadline_s: 4",
        "    dedline_s: 4 #!",
        "phases[1].dedline_s",
        "there is no field `dedline_s` here (did you mean `deadline_s`?)",
    ),
    (
        "an unknown field of the runbook",
        "summary: Finds and mends.",
        "summary: Finds and mends.\nlan: urgent #!",
        "lan",
        "there is no field `lan` here (did you mean `lane`?)",
    ),
    (
        "an unknown kind of phase",
        "    kind: explore",
        "    kind: explor #!",
        "phases[0].kind",
        (
            "no kind of phase is called `explor` (did you mean `explore`?); "
            "the kinds are `explore`, `plan`, `fan_out`, `reduce`, `pipeline`, `background`"
        ),
    ),
    (
        "a missing field",
        "reducer: rank_causes\n    over: [evidence]\n",
        "reducer: rank_causes\n",
        "phases[2]",
        "`over` is missing",
    ),
    (
        "an unknown reducer",
        "reducer: rank_causes",
        "reducer: rank_cause #!",
        "phases[2].reducer",
        "must be 'rank_causes', 'all', 'any' or 'worst' (did you mean `rank_causes`?)",
    ),
    (
        "a number that is too small",
        "deadline_s: 4",
        "deadline_s: 0 #!",
        "phases[1].deadline_s",
        "must be greater than 0",
    ),
    (
        "a name in capitals",
        "- id: facts",
        "- id: Facts #!",
        "phases[0].steps[0].id",
        "must be lower-case letters, digits, `-` and `_`, beginning with a letter",
    ),
    (
        "a step with a probe and an action",
        "      - id: facts\n",
        "      - id: facts #!\n        action: supervisor.restart\n",
        "phases[0].steps[0]",
        "name either a `probe` or an `action`",
    ),
    (
        "a list where a mapping should be",
        'probe: ground.facts\n        with: {service: "{{ params.service }}"}',
        "probe: ground.facts\n        with: [checkout] #!",
        "phases[0].steps[0].with",
        "must be a mapping of names to values",
    ),
    (
        "a key that is there twice",
        "    deadline_s: 4",
        "    deadline_s: 4\n    deadline_s: 5 #!",
        "phases[1]",
        "`deadline_s` is there twice",
    ),
    (
        "a template without quotes",
        'with: {service: "{{ item }}"}',
        "with: {service: {{ item }}} #!",
        "phases[1].steps[1].with.service",
        "a value that begins with `{{` must be in quotes",
    ),
    (
        "a date without quotes",
        "  note: {}",
        "  note: {default: 2026-01-02} #!",
        "params.note.default",
        "is a date to YAML; put it in quotes",
    ),
    (
        "a name that YAML takes for a truth value",
        "  note: {}",
        "  on: {} #!",
        "params",
        "`on` is no text; put the name in quotes",
    ),
]
MORE = """\
  - id: more
    kind: explore
    steps:
      - {id: facts, probe: ground.facts, with: {service: checkout}}
"""


@pytest.mark.parametrize(
    ("sound", "broken", "where", "text"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS]
)
def test_each_rule_is_told_alone_with_its_line(
    tmp_path: Path, sound: str, broken: str, where: str, text: str
) -> None:
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


def test_a_plan_of_a_pipeline_loads(tmp_path: Path) -> None:
    assert load(tmp_path, OF_PLAN).names() == ("deploy",)


@pytest.mark.parametrize(
    ("sound", "broken", "said"),
    [
        ("of: act", "of: ground", "phases[0].of: `ground` is a `explore` phase; it must be a `pipeline`"),
        (
            'service: "{{ params.service }}"}\n        no_undo',
            'service: "{{ phases.ground.outcome }}"}\n        no_undo',
            "`phases.ground.outcome`: the phase `ground` has not ended by then",
        ),
        (
            "    of: act\n",
            "    of: act\n  - id: again\n    kind: plan\n    of: act\n",
            "phases[1].of: an earlier plan is that of `act`",
        ),
        (
            "    of: act\n",
            "    of: act\n    remedies: {bad_release: []}\n",
            "phases[0].remedies: a plan `of` a pipeline has no remedies",
        ),
        (
            "    of: act\n",
            (
                "    of: act\n    verify:\n"
                "      - {id: good, probe: prometheus.ratio, with: {service: checkout}, expect: result.value < 1}\n"
            ),
            "verify[0].id: another check of the same plan is called `good`",
        ),
        ("    approval: {}\n", "", "phases[2]: needs an `approval`: nobody is asked before"),
        ("{id: beside,", "{id: beside, title: '{{ params.service }}',", "is not filled in here"),
        ("no_undo: It is a restart.", "no_undo: '{{ params.service }}'", "is not filled in here"),
        (
            "  service: {type: service, required: true}\n",
            "  service: {required: true}\n",
            "must be of type `service`",
        ),
    ],
)
def test_each_rule_of_planned_pipelines_is_told(tmp_path: Path, sound: str, broken: str, said: str) -> None:
    assert OF_PLAN.count(sound) == 1
    found = problems(tmp_path, OF_PLAN.replace(sound, broken))
    assert len(found) == 1
    assert said in str(found[0])


def test_an_approval_of_an_earlier_step_is_enough(tmp_path: Path) -> None:
    text = OF_PLAN.replace("    approval: {}\n", "").replace(
        "        verify:\n", "        approval: {}\n        verify:\n"
    )
    assert load(tmp_path, text).names() == ("deploy",)


def test_an_approval_needs_somebody_who_can_give_it(tmp_path: Path) -> None:
    text = OF_PLAN.replace("  service: {type: service, required: true}\n", "  name: {}\n").replace(
        "params.service", "params.name"
    )
    found = problems(tmp_path, text)
    assert [str(p).partition(": ")[2] for p in found] == [
        "phases[2].approval: name the `groups` who may approve: there is no parameter `service`"
    ]
    assert load(tmp_path, text.replace("approval: {}", "approval: {groups: [oncall]}")).names() == ("deploy",)


def test_a_plan_of_a_pipeline_that_names_another_plan_is_told(tmp_path: Path) -> None:
    text = OF_PLAN.partition("    watch:")[0].replace(
        "kind: pipeline\n", "kind: pipeline\n    plan: outline\n"
    )
    said = [p.text for p in problems(tmp_path, text)]
    assert said == [
        "`act` has no steps of its own",
        "`outline` plans the steps of `act`; name a plan with remedies",
    ]


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    first = (
        GOOD.replace("deadline_s", "dedline_s")
        .replace("ground.facts", "ground.fact")
        .replace("name: mend", "name: a")
    )
    second = GOOD.replace("over: [evidence]", "over: [evidense]").replace("name: mend", "name: b")
    found = problems(tmp_path, first, second, "phases: [", GOOD)
    by_file = {
        name: [p.text for p in found if p.file.endswith(name)] for name in ("r0.yaml", "r1.yaml", "r2.yaml")
    }
    assert by_file["r0.yaml"] == [
        "no probe is called `ground.fact` (did you mean `ground.facts`?)",
        "there is no field `dedline_s` here (did you mean `deadline_s`?)",
    ]
    assert by_file["r1.yaml"] == ["there is no phase `evidense` (did you mean `evidence`?)"]
    assert len(by_file["r2.yaml"]) == 1
    assert not [p for p in found if p.file.endswith("r3.yaml")]
    assert [(p.file, p.line) for p in found] == sorted((p.file, p.line) for p in found)


def test_one_misshapen_phase_does_not_hide_what_is_wrong_in_others(tmp_path: Path) -> None:
    text = GOOD.replace("reducer: rank_causes", "reducer: rank").replace("after: fix", "after: fxi")
    assert [p.where for p in problems(tmp_path, text)] == ["phases[2].reducer", "phases[5].after"]


def test_two_runbooks_of_one_name_are_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, GOOD)
    assert problem.file.endswith("r1.yaml")
    assert problem.line == 1
    assert "is the name of" in problem.text


def test_a_breach_must_be_able_to_start_its_runbook(tmp_path: Path) -> None:
    needs = OF_PLAN.replace("params:\n", "params:\n  version: {required: true}\n")
    (problem,) = problems(tmp_path, GOOD.replace("on_breach: mend", "on_breach: deploy"), needs)
    assert problem.text == "`deploy` needs a parameter `version`, which is not here"


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", 1, "is empty"),
        (b"# only a comment\n", 1, "is empty"),
        (b"just text", 1, "is no runbook"),
        (b"- a\n- b\n", 1, "is no runbook"),
        (b"name: a\n\tsummary: b\n", 2, "a tab; indent with spaces"),
        (b"name: [a\nsummary: b\n", 2, "is not YAML"),
        (b"name: a\n---\nname: b\n", 2, "is not YAML"),
        (b"name: *nobody\n", 1, "is not YAML"),
        (b"name: &a [*a]\n", 1, "an anchor contains itself"),
        (b"name: \xff\xfe\n", 1, "is not UTF-8"),
        (b"name: !!python/object:os.system {}\n", 1, "put it in quotes"),
        (b"name: \x00\n", 0, "is not YAML"),
        (b"? [a]\n: b\n", 1, "must be in quotes"),
        (b"name: " + b"[" * 2000 + b"]" * 2000, 1, "nested too deep"),
        (b"x" * 1_000_001, 1, "at most 1000000"),
    ],
)
def test_a_file_that_is_no_document_is_told_with_its_line(
    tmp_path: Path, content: bytes, line: int, said: str
) -> None:
    (tmp_path / "r.yaml").write_bytes(content)
    with pytest.raises(RunbooksInvalidError) as caught:
        load_runbooks([tmp_path], plugins=PLUGINS)
    first = caught.value.problems[0]
    assert said in first.text
    assert first.line == line


def test_anchors_may_share_parts_but_not_explode(tmp_path: Path) -> None:
    shared = GOOD.replace(
        'since_s: "{{ params.since }}"\n      - id: others', "<<: *since\n      - id: others"
    )
    shared = shared.replace("deadline_s: 4", "deadline_s: 4\n    title: &t Evidence")
    text = shared.replace(
        'with: {since_s: "{{ params.since }}"}', 'with: &since {since_s: "{{ params.since }}"}'
    )
    (problem,) = problems(tmp_path, text)  # an anchor must stand before what refers to it
    assert "undefined alias" in problem.text
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (problem,) = problems(tmp_path, bomb)
    assert "more than 20000 parts" in problem.text


def test_merged_keys_have_the_line_of_their_anchor(tmp_path: Path) -> None:
    text = GOOD.replace(
        '        probe: ground.facts\n        with: {service: "{{ params.service }}"}',
        "        probe: ground.facts\n        with: &who {sevrice: checkout}",
    ).replace('with: {service: "{{ item }}"}', "with: {<<: *who}")
    lines = {(p.where, p.line) for p in problems(tmp_path, text) if "sevrice" in p.text}
    assert lines == {("phases[0].steps[0].with", 13), ("phases[1].steps[1].with", 13)}


def test_paths_that_hold_nothing_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunbooksInvalidError) as caught:
        load_runbooks([tmp_path / "empty", tmp_path / "missing"], plugins=PLUGINS)
    assert [p.text for p in caught.value.problems] == [
        "there is no `*.yaml` below it",
        "there is no such file or folder",
    ]
    assert caught.value.reason == "runbook_invalid"


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_runbook_with_any_line_lost_or_doubled_loads_or_is_told(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = GOOD.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = data.draw(
            st.sampled_from([[], [lines[at]] * 2, [lines[at][1:]], [lines[at] + " x"]])
        )
    folder = tmp_path_factory.mktemp("mangled")
    (folder / "r.yaml").write_text("\n".join(lines))
    said: tuple[Problem, ...] = ()
    loaded: tuple[str, ...] = ()
    try:
        loaded = load_runbooks([folder], plugins=PLUGINS).names()
    except RunbooksInvalidError as error:
        said = error.problems
    assert bool(said) != bool(loaded)
    assert all(problem.text and problem.line <= len(lines) + 1 for problem in said)
