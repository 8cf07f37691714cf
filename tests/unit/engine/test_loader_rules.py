"""Each rule of the loader is broken once, alone; the answer names it with its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engine.mending import GOOD, problems

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
        "a literal deep inside of the wrong type",
        "weights: {stable: 100, candidate: 0}}",
        "weights: {stable: all, candidate: 0}} #!",
        "phases[3].remedies.bad_release[0].steps[0].with.weights.stable",
        "must be a valid integer, unable to parse string as an integer",
    ),
    (
        "a literal that fits none of several types",
        '          since_s: "{{ params.since }}"\n      - id: others',
        '          since_s: "{{ params.since }}"\n          steps: [] #!\n      - id: others',
        "phases[1].steps[0].with.steps",
        "must be a valid integer, or must be a valid string",
    ),
    (
        "an unknown argument with no near name",
        '        with: {service: "{{ params.service }}"}\n  - id: evidence',
        "        with: {service: checkout, zzz: 1} #!\n  - id: evidence",
        "phases[0].steps[0].with",
        "no parameter `zzz` in ground.facts; it takes `service`",
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
        "an unknown field of a phase",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ phases.ground.outcom }}"} #!',
        "phases[2].with.since_s",
        "`phases.ground.outcom`: there is no `outcom` (did you mean `outcome`?)",
    ),
    (
        "an unknown field of a step's state",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ phases.ground.steps.facts.took }}"} #!',
        "phases[2].with.since_s",
        "`phases.ground.steps.facts.took`: there is no `took` (did you mean `took_s`?)",
    ),
    (
        "a step of for_each by its bare id",
        'with: {since_s: "{{ params.since }}"}',
        'with: {since_s: "{{ phases.evidence.steps.others.took_s }}"} #!',
        "phases[2].with.since_s",
        '`phases.evidence.steps.others.took_s`: there is one step an item, such as `steps["others[0]"]`',
    ),
    (
        "an unknown field of the diagnosis",
        "- when: cause.data.version is defined",
        "- when: phases.diagnosis.output.verdit == 'x' #!",
        "phases[3].remedies.bad_release[0].when",
        "`phases.diagnosis.output.verdit`: there is no `verdit` (did you mean `verdict`?)",
    ),
    (
        "an unknown field of the plan",
        "    kind: background\n",
        "    kind: background\n    when: phases.remedy.plan.step #!\n",
        "phases[5].when",
        "`phases.remedy.plan.step`: there is no `step` (did you mean `steps`?)",
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
        "a ranking of what brings no findings",
        "over: [evidence]",
        "over: [evidence, ground] #!",
        "phases[2].over[1]",
        "causes are ranked from findings; `facts` of `ground` brings facts",
    ),
    (
        "an argument that a reducer does not take",
        'with: {since_s: "{{ params.since }}"}',
        'with: {sinse_s: "{{ params.since }}"} #!',
        "phases[2].with",
        "no parameter `sinse_s` in rank_causes (did you mean `since_s`?)",
    ),
    (
        "a reducer that knows no such argument",
        "  - id: more\n    kind: explore\n    steps:\n      - {id: facts, probe: ground.facts, with: {service: checkout}}\n",
        "  - {id: more, kind: reduce, reducer: all, over: [ground], with: {deep: 1}} #!\n",
        "phases[6].with",
        "no parameter `deep` in all",
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
        "a plan without remedies",
        "    remedies:\n      bad_release:\n"
        + GOOD.partition("      bad_release:\n")[2].partition("    verify:\n")[0],
        "",
        "phases[3]",
        "has no `remedies`",
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
        "an unknown field deep inside",
        "              title: Roll {{ cause.service }} back\n",
        "              titel: Roll {{ cause.service }} back #!\n",
        "phases[3].remedies.bad_release[0].steps[0].titel",
        "there is no field `titel` here (did you mean `title`?)",
    ),
    (
        "an unknown field of an approval",
        "approval: {expires_s: 600}",
        "approval: {expires: 600} #!",
        "phases[4].approval.expires",
        "there is no field `expires` here (did you mean `expires_s`?)",
    ),
    (
        "an approval of one's own without a reason",
        "approval: {expires_s: 600}",
        "approval: {allow_requester: true} #!",
        "phases[4].approval",
        "`allow_requester` and `waived_when` need a `why`",
    ),
    (
        "a phase that is no mapping",
        "  - id: more\n",
        "  - just a word #!\n  - id: more\n",
        "phases[6]",
        "is no phase: it needs an `id` and a `kind`",
    ),
    (
        "a phase without a kind",
        "    kind: explore\n    steps:\n      - {id: facts",
        "    steps:\n      - {id: facts",
        "phases[6].kind",
        "has no `kind`; the kinds are `explore`, `plan`, `fan_out`, `reduce`, `pipeline`, `background`",
    ),
    (
        "a number where a text should be",
        "summary: Finds and mends.",
        "summary: 5 #!",
        "summary",
        "must be text; put it in quotes",
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
        "must be 'rank_causes', 'all', 'any', 'worst' or 'rollback_safety' (did you mean `rank_causes`?)",
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
