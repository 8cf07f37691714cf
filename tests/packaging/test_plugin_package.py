"""The package that the how-to page prints is built, tested and loaded beside Pilothouse."""

from __future__ import annotations

import re

import pytest

from tests.packaging.conftest import ROOT, build_wheel, run, succeeded

pytestmark = pytest.mark.package

PAGE = ROOT / "docs" / "how-to" / "write-a-plugin-package.md"
RUNBOOK = "runbooks/pause-queue.yaml"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The page's files, each a block of code below its path."""
    files = re.findall(
        r"^`([\w./-]+)`\n```\w+\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    folder = tmp_path_factory.mktemp("plugin") / "acme-broker"
    for path, text in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    assert (folder / "pyproject.toml").is_file()
    return folder


@pytest.fixture(scope="module")
def installed(install, wheel, source):
    return install(wheel, build_wheel(source, source.parent / "dist"))


def test_its_own_tests_pass(installed, source):
    command = (installed.python, "-P", "-m", "pytest", "-p", "no:cacheprovider", "tests")
    assert " 5 passed" in succeeded(*command, cwd=source)


def test_a_runbook_can_call_it(installed, source):
    printed = succeeded(installed.pilothouse, "check", "--runbooks", "shipped", "runbooks", cwd=source)
    assert re.search(rf"^pause-queue .* {RUNBOOK}$", printed, re.MULTILINE)
    assert re.search(r"^triage ", printed, re.MULTILINE)


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        (
            'queue: "{{ params.queue }}"}',
            "qeue: a}",
            "no parameter `qeue` in broker.lag (did you mean `queue`?)",
        ),
        ("paused: true", "paused: maybe", "steps[0].with.paused: must be a valid boolean"),
    ],
)
def test_what_it_is_called_with_is_checked(installed, source, tmp_path, *, right, wrong, problem):
    text = (source / RUNBOOK).read_text(encoding="utf-8")
    assert right in text
    (tmp_path / "changed.yaml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    ended = run(installed.pilothouse, "check", "--runbooks", "changed.yaml", cwd=tmp_path)
    assert ended.returncode == 1
    assert problem in ended.stdout
