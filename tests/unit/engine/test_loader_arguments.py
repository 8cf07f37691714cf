"""What a step calls and hands over is checked against the plugins: each mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engine.mending import Break, told_alone

BREAKS: list[Break] = [
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
]


@pytest.mark.parametrize("broken", [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_step_that_calls_wrongly_is_told_alone_with_its_line(
    tmp_path: Path, broken: tuple[str, str, str, str]
) -> None:
    told_alone(tmp_path, *broken)
