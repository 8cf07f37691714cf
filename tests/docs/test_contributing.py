"""The examples of CONTRIBUTING work when they are copied: a probe, a runbook, a slash command and their tests."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import bot.probes
from bot.adapters.slack.manifest import manifest_of
from bot.engine.plugins import scan
from bot.loader.loader import load_runbooks
from tests.docs.pages import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"`([\w/.-]+\.(?:py|yaml))`:\n```(?:python|yaml)\n(.*?)```", PAGE, re.DOTALL))
KNOWN = ("--config", 'lint.isort.known-first-party = ["bot", "handlers", "tests"]')
"""The files of the examples are not there, so ruff cannot see that they are ours."""
CONFTEST = """
import bot.probes
import handlers
from tests.handlers.conftest import front
from tests.plugins.probes.conftest import context

bot.probes.__path__.append({folder!r})
handlers.__path__.append({folder!r})
"""


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Return a folder with the files of the page, in which the probe and the handler are found."""
    for name, text in FILES.items():
        (tmp_path / name.rpartition("/")[2]).write_text(text, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST.format(folder=str(tmp_path)), encoding="utf-8")
    return tmp_path


def test_the_page_has_a_file_for_each_task():
    assert list(FILES) == [
        "bot/probes/queues.py",
        "tests/plugins/probes/test_queues.py",
        "runbooks/incident/queue-lag.yaml",
        "handlers/queue_lag.py",
        "tests/handlers/test_queue_lag.py",
    ]


def test_the_tests_of_the_page_pass(copied):
    tests = [str(copied / "test_queues.py"), str(copied / "test_queue_lag.py")]
    options = ["-q", "--rootdir", str(ROOT), "--config-file", str(ROOT / "pyproject.toml")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert "8 passed" in ran.stdout


def test_the_runbook_of_the_page_loads_with_its_probe(copied, monkeypatch):
    monkeypatch.setattr(bot.probes, "__path__", [*bot.probes.__path__, str(copied)])
    monkeypatch.delitem(sys.modules, "bot.probes.queues", raising=False)
    for name in ("conftest.py", "test_queues.py", "test_queue_lag.py", "queue_lag.py"):
        (copied / name).unlink()
    plugins = scan("bot.probes", third_parties=False)
    assert plugins.get("queues.lag").check({"service": "checkout"}) == {"service": "checkout"}
    assert load_runbooks((copied,), plugins=plugins, services=None).names() == ("queue-lag",)
    monkeypatch.delitem(sys.modules, "bot.probes.queues")


def test_the_slash_command_of_the_page_is_in_the_manifest(copied):
    module = type(sys)("handlers.queue_lag")
    exec((copied / "queue_lag.py").read_text("utf-8"), vars(module))
    (command,) = manifest_of([module])["features"]["slash_commands"]
    assert (command["command"], command["usage_hint"]) == ("/queue-lag", "<service>")


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".py")])
@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_the_examples_meet_the_linter_and_the_format(name, command):
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", *KNOWN, "--stdin-filename", name, "-"],
        input=FILES[name],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
