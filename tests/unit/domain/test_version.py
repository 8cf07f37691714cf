"""Which text may name a version, and what is decided from what sources know."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bot.domain.deployments.version import (
    MOST_CHARS,
    KnownVersions,
    OptionalVersion,
    Version,
    check_version,
    is_version,
    nearest_versions,
)

HOSTILE = (
    "",
    " ",
    "-rf",
    "--upload-pack=touch x",
    "1.4\n",
    "1.4\nPilothouse-Effect: x",
    "1.4\r",
    "1.4\x00",
    "1.4: evil",
    "1.4'",
    '1.4"',
    "1.4`id`",
    "$(id)",
    "1.4;id",
    "1.4|id",
    "1.4&id",
    "1.4 # tag",
    "../../etc/passwd",
    "1/../2",
    "1..2",
    "..",
    ".hidden",
    "1.4.",
    "1.4.lock",
    "1.4\u2028",
    "１.4",  # noqa: RUF001  # a full-width digit
    "1.4\u202e",
    "{{ 7 }}",
    "1@{0}",
    "1^",
    "1~1",
    "1:x",
    "<!channel>",
    "1" * (MOST_CHARS + 1),
    "1" * 100_000,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_could_break_out_of_a_file_or_a_command_is_no_version(text: str):
    assert not is_version(text)
    with pytest.raises(ValidationError):
        TypeAdapter(Version).validate_python(text)


@pytest.mark.parametrize(
    "text", ["1.4.2", "v1", "1.10", "2026-12-01", "a3f9c21", "1.0.0-rc.1+build_7", "x" * 64]
)
def test_the_usual_ways_to_name_a_version_are_taken(text: str):
    assert TypeAdapter(Version).validate_python(text) == text


def test_no_version_at_all_is_allowed_only_where_it_is_optional():
    assert TypeAdapter(OptionalVersion).validate_python("") == ""
    with pytest.raises(ValidationError):
        TypeAdapter(OptionalVersion).validate_python("../x")


@given(st.text(max_size=80) | st.from_regex(r"[-A-Za-z0-9._+:/ \n\"'$`]{0,12}", fullmatch=True))
def test_every_text_that_is_a_version_is_one_word_everywhere(text: str):
    if not is_version(text):
        return
    assert re.fullmatch(r"[!-~]+", text), "printable ASCII without spaces"
    assert text == text.strip("-./")
    assert yaml.safe_load(f"tag: '{text}'") == {"tag": text}
    assert ".." not in text
    assert "/" not in text


def test_git_takes_every_kind_of_version_as_a_tag():
    for text in ("1.4.2", "1+2", "a_b-c.d", "9" * 64, "1.locks", "x.lock.1"):
        assert is_version(text)
        subprocess.run(["git", "check-ref-format", f"refs/tags/{text}"], check=True)


def known(*versions: str, complete: bool = True) -> KnownVersions:
    return KnownVersions(source="x", versions=versions, complete=complete)


def test_one_source_that_has_it_is_enough():
    assert (
        check_version("1.5", [known("1.4"), known("1.5", complete=False)], gaps=["Git: down"]).known is True
    )


def test_it_does_not_exist_only_where_a_whole_list_lacks_it_and_nothing_failed():
    assert check_version("9", [known("1.4")]).known is False
    assert check_version("9", [known("1.4", complete=False)]).known is None
    assert check_version("9", [known("1.4")], gaps=["Git: down"]).known is None
    assert check_version("9", []).known is None


def test_a_list_without_a_single_version_rules_nothing_out():
    assert check_version("9", [known()]).known is None


def test_the_remark_for_the_plan_gives_the_reason():
    found = check_version("9", [known("1.4")], gaps=["Git: no answer in time"])
    assert found.remark == "Nobody could check that 9 exists: Git: no answer in time."
    assert check_version("9", []).remark == "Nobody could check that 9 exists."
    assert check_version("1", [known("1")]).remark == ""


def test_the_nearest_come_first_and_then_the_highest():
    assert nearest_versions("v1.5.0", ["1.4.9", "1.5.0", "1.10.0"])[0] == "1.5.0"
    assert nearest_versions("latest", ["1.4.9", "1.10.0", "1.9.0", "1.10.0-rc1"]) == (
        "1.10.0",
        "1.10.0-rc1",
        "1.9.0",
    )
    assert nearest_versions("9.9.9", []) == ()


def test_what_a_source_lists_and_is_no_version_is_never_offered():
    assert nearest_versions("1", ["<!channel>", "a\nb"]) == ()


@given(st.lists(st.text(max_size=12), max_size=8), st.text(min_size=1, max_size=12))
def test_any_list_can_be_ordered(versions: list[str], wanted: str):
    found = nearest_versions(wanted, versions)
    assert len(found) <= 3
    assert set(found) <= set(versions)
