"""Files that are no runbook at all, and YAML's own traps: always an answer with a line, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.loader.loader import RunbooksInvalidError, load_runbooks
from bot.loader.yaml_positions import Problem
from tests.unit.engine.mending import GOOD, PLUGINS, problems


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", 1, "is empty"),
        (b"# only a comment\n", 1, "is empty"),
        (b"just text", 1, "is not a runbook"),
        (b"- a\n- b\n", 1, "is not a runbook"),
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
        (b"x" * 8_000_001, 1, "at most 8000000"),
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
