"""Variables come from the process and from a file; a line that cannot be read is an error, not a lost setting."""

from __future__ import annotations

import pytest

from bot.domain.errors import SettingsError
from bot.environment import FILE_VARIABLE, environment
from bot.settings import load_settings


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_file_there_is_the_environment_alone():
    assert environment({"A": "1"}) == {"A": "1"}


def test_the_file_in_the_working_directory_adds_what_the_environment_lacks(here):
    (here / ".env").write_text('export A=2\nB="a b # c"  # a comment\n# D=4\n\nE=\n', encoding="utf-8")
    assert environment({"A": "1"}) == {"A": "1", "B": "a b # c", "E": ""}


def test_a_named_file_is_read_instead(here):
    (here / ".env").write_text("A=2\n", encoding="utf-8")
    (here / "other").write_text("PILOTHOUSE_REDIS_PREFIX=theirs\n", encoding="utf-8")
    found = environment({FILE_VARIABLE: "other"})
    assert load_settings(found).redis_prefix == "theirs"
    assert "A" not in found


def test_a_named_file_that_is_missing_is_an_error():
    with pytest.raises(SettingsError, match=r"nowhere cannot be read"):
        environment({FILE_VARIABLE: "nowhere"})


@pytest.mark.parametrize("line", ["xoxb-1", "A B=1", 'A="open', "=1", "1 2"])
def test_a_line_that_is_not_an_assignment_is_named_and_its_text_is_not_shown(here, line):
    (here / ".env").write_text(f"X=1\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"\.env: not NAME=value in line 2\.") as raised:
        environment({})
    assert line not in str(raised.value)


def test_a_misspelt_setting_in_the_file_is_found_as_in_the_environment(here):
    (here / ".env").write_text("PILOTHOUSE_REDIS_PREFX=x\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="did you mean `PILOTHOUSE_REDIS_PREFIX`"):
        load_settings(environment({}))
