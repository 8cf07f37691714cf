"""The rules of the phases, and of what may act, are each broken once: the answer names the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engine.mending import GOOD, Break, told_alone

BREAKS: list[Break] = [
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
        "`fan_out` asks for no approval and undoes nothing: put `supervisor.restart` into a `pipeline`",
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
        "`metrics` appears twice in `steps`",
    ),
    (
        "two phases of one name",
        "- id: watch",
        "- id: ground #!",
        "phases[5].id",
        "`ground` appears twice in `phases`",
    ),
    (
        "a reduce over what does not exist",
        "over: [evidence]",
        "over: [evidense] #!",
        "phases[2].over[0]",
        "no phase is called `evidense` (did you mean `evidence`?)",
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
        "a second look of a reducer that is never unclear",
        "      - {id: facts, probe: ground.facts, with: {service: checkout}}\n",
        (
            "      - {id: facts, probe: ground.facts, with: {service: checkout}}\n"
            "  - {id: well, kind: reduce, reducer: all, over: [more], look_again_s: 60} #!\n"
        ),
        "phases[7].look_again_s",
        "only `rank_causes` has a diagnosis that may be unclear",
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
        "the action `supervisor.restart` needs an `undo`, or a `no_undo` with the reason why it has none",
    ),
    (
        "an undo and a reason for none",
        "              undo:\n",
        "              no_undo: Why not. #!\n              undo:\n",
        "phases[3].remedies.bad_release[0].steps[0].no_undo",
        "`undo` is set, too; leave one of them out",
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
        "no phase is called `remdy` (did you mean `remedy`?)",
    ),
    (
        "actions without an approval",
        "  - id: fix\n    kind: pipeline\n    plan: remedy\n    approval: {expires_s: 600}\n",
        "  - id: fix #!\n    kind: pipeline\n    plan: remedy\n",
        "phases[4]",
        "needs an `approval`: the action `haproxy.shift` would run without one",
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
        "no runbook is called `mned` (did you mean `mend`?)",
    ),
]


@pytest.mark.parametrize("broken", [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_broken_rule_of_the_phases_is_told_alone_with_its_line(
    tmp_path: Path, broken: tuple[str, str, str, str]
) -> None:
    told_alone(tmp_path, *broken)
