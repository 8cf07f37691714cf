"""The loader: a sound runbook loads, and everything that is wrong with others is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.errors import NotFoundError
from bot.loader.loader import RunbooksInvalidError, load_runbooks
from tests.unit.engine.mending import GOOD, OF_PLAN, PLUGINS, load, problems


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
        "unknown field `dedline_s` (did you mean `deadline_s`?)",
    ]
    assert by_file["r1.yaml"] == ["no phase is called `evidense` (did you mean `evidence`?)"]
    assert len(by_file["r2.yaml"]) == 1
    assert not [p for p in found if p.file.endswith("r3.yaml")]
    assert [(p.file, p.line) for p in found] == sorted((p.file, p.line) for p in found)


def test_one_misshapen_phase_does_not_hide_what_is_wrong_in_others(tmp_path: Path) -> None:
    text = GOOD.replace("reducer: rank_causes", "reducer: rank").replace("after: fix", "after: fxi")
    assert [p.where for p in problems(tmp_path, text)] == ["phases[2].reducer", "phases[5].after"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nsummary: s\nphases: []\n", "3: phases: must have at least one item"),
        ("name: a\nsummary: s\nphases: none\n", "3: phases: must be a list"),
        ("name: a\nsummary: s\n", "1: `phases` is missing"),
        (
            (
                "name: a\nsummary: s\nparams: []\nphases:\n  - id: p\n    kind: explore\n    steps:\n"
                "      - {id: s, probe: ground.facts, with: {service: checkout}}\n"
            ),
            "3: params: must be a mapping of names to values",
        ),
    ],
)
def test_a_runbook_without_its_main_parts_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert [str(problem).partition("r0.yaml:")[2] for problem in problems(tmp_path, text)] == [said]


def test_two_runbooks_of_one_name_are_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD, GOOD)
    assert problem.file.endswith("r1.yaml")
    assert problem.line == 1
    assert "is the name of" in problem.text


def test_a_breach_must_be_able_to_start_its_runbook(tmp_path: Path) -> None:
    needs = OF_PLAN.replace("params:\n", "params:\n  version: {required: true}\n")
    (problem,) = problems(tmp_path, GOOD.replace("on_breach: mend", "on_breach: deploy"), needs)
    assert problem.text == "`deploy` needs a parameter `version`, which is not here"


def test_paths_that_hold_nothing_are_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunbooksInvalidError) as caught:
        load_runbooks([tmp_path / "empty", tmp_path / "missing"], plugins=PLUGINS)
    assert [p.text for p in caught.value.problems] == [
        "there is no `*.yaml` below it",
        "there is no such file or folder",
    ]
    assert caught.value.reason == "runbook_invalid"
