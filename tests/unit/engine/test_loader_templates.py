"""What a template refers to must be there when it is filled in: each mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engine.mending import Break, told_alone

BREAKS: list[Break] = [
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
        "`phases.evidense.outcome`: no phase is called `evidense` (did you mean `evidence`?)",
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
        '`phases.evidence.steps.others.took_s`: there is one step per item, such as `steps["others[0]"]`',
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
        "this is already an expression, so leave the braces out",
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
]


@pytest.mark.parametrize("broken", [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_template_that_cannot_be_filled_in_is_told_alone_with_its_line(
    tmp_path: Path, broken: tuple[str, str, str, str]
) -> None:
    told_alone(tmp_path, *broken)
