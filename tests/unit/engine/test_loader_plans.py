"""The loader on pipelines whose own steps are planned and approved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.engine.mending import OF_PLAN, load, problems


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
        (
            "        action: supervisor.restart\n",
            "        probe: ground.facts\n",
            "phases[2].steps[0].no_undo: a probe changes nothing, so there is nothing to undo",
        ),
        (
            (
                "  - id: ground\n    kind: explore\n    steps:\n"
                '      - {id: facts, probe: ground.facts, with: {service: "{{ params.service }}"}}\n'
            ),
            (
                "  - id: ground\n    kind: explore\n    steps:\n"
                '      - {id: facts, probe: ground.facts, with: {service: "{{ params.service }}"}}\n'
                "  - {id: judged, kind: reduce, reducer: worst, over: [ground]}\n"
                "  - {id: cure, kind: plan, diagnosis: judged, remedies: {unknown: []}}\n"
            ),
            "phases[3].diagnosis: `judged` ranks no causes: its reducer is `worst`",
        ),
        ("    approval: {}\n", "", "phases[2]: needs an `approval`: the action"),
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
        "phases[2].approval: name the `groups` who may approve: the runbook has no parameter `service`"
    ]
    assert load(tmp_path, text.replace("approval: {}", "approval: {groups: [oncall]}")).names() == ("deploy",)
    of_a_step = text.replace("    approval: {}\n", "").replace(
        "        verify:", "        approval: {}\n        verify:"
    )
    assert [problem.where for problem in problems(tmp_path, of_a_step)] == ["phases[2].steps[0].approval"]


def test_causes_are_ranked_for_a_service_only(tmp_path: Path) -> None:
    text = (
        "name: a\nsummary: s\nphases:\n  - {id: look, kind: fan_out, steps: "
        "[{id: s, probe: prometheus.anomalies, with: {service: checkout}}]}\n"
        "  - {id: why, kind: reduce, reducer: rank_causes, over: [look]}\n"
    )
    assert [p.text for p in problems(tmp_path, text)] == ["`rank_causes` needs a parameter `service`"]


def test_a_plan_of_a_pipeline_that_names_another_plan_is_told(tmp_path: Path) -> None:
    text = OF_PLAN.partition("    watch:")[0].replace(
        "kind: pipeline\n", "kind: pipeline\n    plan: outline\n"
    )
    said = [p.text for p in problems(tmp_path, text)]
    assert said == [
        "`act` has no steps of its own",
        "`outline` plans the steps of `act`; name a plan with remedies",
    ]
