"""What is built holds everything, and works where the checkout is not."""

from __future__ import annotations

import json
import tarfile
import zipfile

import pytest

import bot
from tests.packaging.conftest import ROOT, build_wheel, run, succeeded

pytestmark = pytest.mark.package

PACKAGES = ("bot", "handlers", "localslack", "demo")
OF_LOCALSLACK_ALONE = {
    ROOT / "localslack" / name for name in ("Containerfile", "README.md", "pyproject.toml")
}
IMPORTED = (
    "import bot, handlers, localslack, demo; print(*(m.__file__ for m in (bot, handlers, localslack, demo)))"
)


@pytest.fixture(scope="module")
def installed(install, wheel):
    return install(wheel)


def files_in(wheel):
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_holds_every_file_of_the_packages_and_the_runbooks(wheel):
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path not in OF_LOCALSLACK_ALONE
    }
    shipped = {
        f"bot/_data/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "runbooks").rglob("*.yaml")
    }
    assert shipped
    assert files_in(wheel) == expected | shipped


def test_the_sdist_builds_the_same_wheel_and_brings_the_tests(sdist, wheel, tmp_path):
    assert files_in(build_wheel(sdist, tmp_path / "dist")) == files_in(wheel)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "requirements-dev.txt", "tests/conftest.py"} <= names


def test_what_is_imported_is_what_was_installed(installed, foreign):
    files = succeeded(installed.python, "-P", "-c", IMPORTED, cwd=foreign).split()
    assert len(files) == len(PACKAGES)
    assert [file for file in files if not file.startswith(str(installed.folder))] == []


def test_the_version_is_the_same_everywhere(installed, foreign):
    assert succeeded(installed.pilothouse, "--version", cwd=foreign) == f"pilothouse {bot.__version__}\n"
    asked = "import importlib.metadata as m; print(m.version('pilothouse'))"
    assert succeeded(installed.python, "-P", "-c", asked, cwd=foreign).strip() == bot.__version__


@pytest.mark.parametrize("started", ["pilothouse", "python -m bot"])
def test_commands_work_beside_foreign_packages_of_the_same_names(started, installed, foreign):
    command = (installed.pilothouse,) if started == "pilothouse" else (installed.python, "-m", "bot")
    assert succeeded(*command, "--help", cwd=foreign).startswith(f"usage: {started} ")
    manifest = json.loads(succeeded(*command, "manifest", cwd=foreign))
    assert "/triage" in [slash["command"] for slash in manifest["features"]["slash_commands"]]


def test_without_settings_the_runbooks_that_ship_are_checked(installed, foreign):
    printed = succeeded(installed.pilothouse, "check", cwd=foreign)
    assert f"{installed.folder}/lib/" in printed
    assert "/bot/_data/runbooks/incident/triage.yaml" in printed
    assert "runbooks, no problems." in printed
    assert "No catalogue is set" in printed
    assert "set PILOTHOUSE_CATALOGUE" in printed


def test_a_catalogue_that_is_named_and_missing_is_a_problem(installed, foreign):
    command = ("env", "PILOTHOUSE_CATALOGUE=missing.yaml", installed.pilothouse, "check")
    ended = run(*command, cwd=foreign)
    assert (ended.returncode, "missing.yaml:1: cannot be read" in ended.stdout) == (1, True), ended.stderr


def test_localslack_installs_alone_with_its_page_and_its_client(install, foreign, tmp_path):
    wheel = build_wheel(ROOT / "localslack", tmp_path / "dist")
    assert files_in(wheel) == {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "localslack").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path not in OF_LOCALSLACK_ALONE
    }
    alone = install(wheel)
    command = alone.folder / "bin" / "localslack"
    assert succeeded(command, "--version", cwd=foreign) == f"localslack {bot.__version__}\n"
    program = (
        "import asyncio, httpx, localslack\n"
        "async def main():\n"
        "    async with localslack.LocalSlack(localslack.load_workspace()) as slack:\n"
        "        async with localslack.LocalSlackClient(slack.url) as people, httpx.AsyncClient() as http:\n"
        "            await people.post('hello', user='ana', channel='general')\n"
        "            seen = await people.messages('general', user='ben')\n"
        "            page = await http.get(slack.url)\n"
        "            print(localslack.__file__, seen[-1].text, page.status_code, '<html' in page.text)\n"
        "asyncio.run(main())\n"
    )
    file, *printed = succeeded(alone.python, "-P", "-c", program, cwd=foreign).split()
    assert file.startswith(str(alone.folder))
    assert printed == ["hello", "200", "True"]


@pytest.mark.server
@pytest.mark.demo
@pytest.mark.timeout(600)
def test_an_incident_is_played_from_another_projects_folder(installed, foreign):
    before = sorted(foreign.rglob("*"))
    command = (installed.pilothouse, "demo", "--scenario", "bad-release", "--json")
    told = json.loads(succeeded(*command, cwd=foreign, timeout_s=580))
    assert (told["scenario"], told["right"], told["verified"]) == ("bad-release", True, True)
    assert told["writes"] >= 1
    assert told["writes_without_approval"] == 0
    assert sorted(foreign.rglob("*")) == before  # nothing is written where people happen to be
