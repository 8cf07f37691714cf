"""``python -m bot``: what every command has in common."""

from __future__ import annotations

import os
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


def test_a_connection_that_breaks_inside_of_a_command_is_no_reader_that_has_gone(monkeypatch):
    def breaks(words):
        raise BrokenPipeError

    monkeypatch.setattr(command_line, "_run", breaks)
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out, os.fdopen(reading):
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(BrokenPipeError):
            command_line.main(["check"])
