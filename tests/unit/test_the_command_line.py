"""``pilothouse``: what every command has in common."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot import __main__ as command_line

ROOT = Path(__file__).parents[2]


def unread(*words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose reader has gone before it printed anything, as ``| head`` does sooner or later."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            stdout=writing,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
            timeout=50,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize("words", [("manifest",), ("check",), ("demo", "--list")])
def test_a_command_whose_output_nobody_reads_ends_without_a_word(words):
    ended = unread(*words)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("role", "setting"), [("web", "PILOTHOUSE_HTTP_PORT"), ("worker", "PILOTHOUSE_METRICS_PORT")]
)
def test_a_port_that_is_taken_is_told_with_the_setting_that_names_it(tmp_path, role, setting):
    (tmp_path / "catalogue.yaml").write_text("services:\n  - {name: checkout}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = {
            setting: str(port),
            "PILOTHOUSE_CATALOGUE": str(tmp_path / "catalogue.yaml"),
            "PILOTHOUSE_REDIS_URL": f"unix://{tmp_path}/nobody.sock",
            "PILOTHOUSE_SLACK_BOT_TOKEN": "xoxb-1",
            "PILOTHOUSE_SLACK_APP_TOKEN": "xapp-1",
            "PILOTHOUSE_SLACK_API_URL": "http://127.0.0.1:1/",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "bot", role],
            env={**os.environ, **settings},
            capture_output=True,
            cwd=ROOT,
            check=False,
            timeout=50,
            text=True,
        )
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False), ended.stderr
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use." in ended.stderr
    assert f"Set {setting} to a free port" in ended.stderr


def test_the_packages_of_another_project_are_not_imported(tmp_path):
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "__init__.py").write_text("raise ImportError('foreign')\n")
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "manifest"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        cwd=tmp_path,
        check=False,
        timeout=50,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_people_see_the_command_that_they_typed(capsys):
    for given, shown in (({}, "pilothouse"), ({"prog": "python -m bot"}, "python -m bot")):
        with pytest.raises(SystemExit):
            command_line.main(["check", "--help"], **given)
        assert capsys.readouterr().out.startswith(f"usage: {shown} check ")


def test_a_connection_that_breaks_inside_of_a_command_is_no_reader_that_has_gone(monkeypatch):
    def breaks(words, prog):
        raise BrokenPipeError

    monkeypatch.setattr(command_line, "_run", breaks)
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out, os.fdopen(reading):
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(BrokenPipeError):
            command_line.main(["check"])
