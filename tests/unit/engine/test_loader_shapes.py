"""A field that is unknown, missing, or of another kind is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engine.mending import Break, told_alone

BREAKS: list[Break] = [
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
        "`soon` is not a valid duration; write one such as `90s`, `30m`, `2h` or `1h30m`",
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
        "unknown field `dedline_s` (did you mean `deadline_s`?)",
    ),
    (
        "an unknown field of the runbook",
        "summary: Finds and mends.",
        "summary: Finds and mends.\nlan: urgent #!",
        "lan",
        "unknown field `lan` (did you mean `lane`?)",
    ),
    (
        "an unknown field deep inside",
        "              title: Roll {{ cause.service }} back\n",
        "              titel: Roll {{ cause.service }} back #!\n",
        "phases[3].remedies.bad_release[0].steps[0].titel",
        "unknown field `titel` (did you mean `title`?)",
    ),
    (
        "an unknown field of an approval",
        "approval: {expires_s: 600}",
        "approval: {expires: 600} #!",
        "phases[4].approval.expires",
        "unknown field `expires` (did you mean `expires_s`?)",
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
        "is not a phase: it needs an `id` and a `kind`",
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
        "`deadline_s` appears twice",
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
        "`on` is not text; put the name in quotes",
    ),
]


@pytest.mark.parametrize("broken", [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_misshapen_runbook_is_told_alone_with_its_line(
    tmp_path: Path, broken: tuple[str, str, str, str]
) -> None:
    told_alone(tmp_path, *broken)
