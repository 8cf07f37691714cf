"""``pilothouse check``: a table when all is sound, every problem and a 1 when not."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from bot.commands import check

ROOT = Path(__file__).parents[2]
CATALOGUE = "services:\n  - {name: checkout, depends_on: [payments]}\n  - {name: payments}\n"


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    check.configure(parser)
    return check.run(parser.parse_args(words))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's settings or folders counts."""
    monkeypatch.chdir(tmp_path)
    for name in ("PILOTHOUSE_CATALOGUE", "PILOTHOUSE_RUNBOOKS"):
        monkeypatch.delenv(name, raising=False)


def test_what_ships_is_sound_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--runbooks", str(ROOT / "runbooks")) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["RUNBOOK", "LANE", "PHASES", "USAGE", "FILE"]
    assert any("/triage <service> [since 30m]" in row and "incident/triage.yaml" in row for row in rows)
    assert any("/deploy canary <service> <version>" in row for row in rows)
    assert not any("/deploy-" in row for row in rows)


def test_every_problem_of_runbooks_and_catalogue_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "a.yaml").write_text("name: a\n")
    (tmp_path / "services.yaml").write_text(CATALOGUE.replace("name: payments", "nam: payments"))
    assert run("--runbooks", "books", "--catalogue", "services.yaml") == 1
    out = capsys.readouterr().out
    assert "books/a.yaml:1: `phases` is missing\n" in out
    assert "books/a.yaml:1: `summary` is missing\n" in out
    assert "services.yaml:3: " in out
    assert "in 2 files." in out


def test_a_monitor_that_cannot_work_is_told_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "services.yaml").write_text(
        "services:\n  - name: checkout\n    monitors:\n"
        "      - {id: a, probe: prometheus.eror_ratio, expect: result.value < 1}\n"
        "      - {id: b, probe: prometheus.query, with: {exprs: up}, expect: result.value <}\n"
        "      - {id: c, probe: prometheus.error_ratio, expect: result.value < 1, then: traige}\n"
    )
    assert run("--runbooks", str(ROOT / "runbooks"), "--catalogue", "services.yaml") == 1
    out = capsys.readouterr().out
    assert "checkout/a: no probe is called `prometheus.eror_ratio` (did you mean" in out
    assert "checkout/b: `with.exprs` of prometheus.query" in out
    assert "checkout/b: `expect`" in out
    assert "checkout/c: `then`: no runbook is called `traige` (did you mean `triage`?)" in out


def test_services_that_a_runbook_names_outright_are_looked_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "services.yaml").write_text(CATALOGUE)
    (tmp_path / "a.yaml").write_text(
        "name: a\nsummary: s\nphases:\n  - id: p\n    kind: explore\n    steps:\n"
        "      - {id: s, probe: prometheus.error_ratio, with: {service: chekout}}\n"
    )
    assert run("--runbooks", "a.yaml", "--catalogue", "services.yaml") == 1
    assert "the catalogue has no service `chekout` (did you mean `checkout`?)" in capsys.readouterr().out
    assert run("--runbooks", "a.yaml") == 0


def test_the_settings_say_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "services.yaml").write_text(CATALOGUE)
    monkeypatch.setenv("PILOTHOUSE_CATALOGUE", "services.yaml")
    monkeypatch.setenv("PILOTHOUSE_RUNBOOKS", str(ROOT / "runbooks"))
    assert run() == 0
    assert "The catalogue has 2 services and 0 monitors." in capsys.readouterr().out


def test_without_settings_what_ships_is_checked_and_how_to_name_a_catalogue_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run() == 0
    out = capsys.readouterr().out
    assert str(ROOT / "runbooks" / "incident" / "triage.yaml") in out
    assert "No catalogue is set and there is no catalogue.yaml here" in out
    assert "set PILOTHOUSE_CATALOGUE to its path." in out


def test_what_ships_can_be_checked_with_what_people_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    text = (ROOT / "runbooks" / "incident" / "triage.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine" / "own.yaml").write_text(
        text.replace("name: triage", "name: own", 1), encoding="utf-8"
    )
    assert run("--runbooks", "shipped", "mine") == 0
    by_words = capsys.readouterr().out
    monkeypatch.setenv("PILOTHOUSE_RUNBOOKS", "shipped:mine")
    assert run() == 0
    assert capsys.readouterr().out == by_words
    assert "mine/own.yaml" in by_words


def test_a_catalogue_that_is_named_and_missing_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTHOUSE_CATALOGUE", "services.yaml")
    assert run() == 1
    assert "services.yaml:1: cannot be read: No such file or directory" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--runbooks", "runbooks") == 1
    assert "runbooks: there is no such file or folder\n\n1 problem in 1 file." in capsys.readouterr().out
