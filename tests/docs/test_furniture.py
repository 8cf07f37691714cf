"""What contributors and code hosts read agrees with the project: hooks, templates, the changelog and the site."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from datetime import date

import pytest
import yaml

from tests.docs.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
HEADINGS = re.findall(r"^## \[([^]]+)\](?: - (\S+))?$", CHANGELOG, re.MULTILINE)


def test_pre_commit_runs_what_make_check_runs():
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1]
    checked = {line.strip().replace("$(PYTHON_IN)", ".venv/bin/python") for line in recipe.splitlines()}
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local"
    hooked = {hook["entry"].replace(" --force-exclude", "") for hook in local["hooks"]}
    files = " Containerfile localslack/Containerfile"  # which pre-commit adds, where they were changed
    assert hooked == {line.removesuffix(files) for line in checked}


def test_every_issue_form_has_what_the_code_host_asks_for():
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) >= 3
    for form in forms:
        content = yaml.safe_load(form.read_text("utf-8"))
        if form.name == "config.yml":
            continue
        assert {"name", "description", "body"} <= set(content)
        names = [field["id"] for field in content["body"] if field["type"] != "markdown"]
        assert len(names) == len(set(names)) > 0
        for field in content["body"]:
            assert field["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
            assert field["attributes"].get("label") or field["type"] == "markdown"
            if field["type"] == "dropdown":  # YAML reads a bare yes as true
                assert all(isinstance(option, str) for option in field["attributes"]["options"])


def test_the_changelog_has_unreleased_changes_first_and_versions_from_new_to_old():
    (first, no_date), *released = HEADINGS
    assert (first, no_date) == ("Unreleased", "")
    numbers = [tuple(map(int, version.split("."))) for version, _ in released]
    assert numbers == sorted(numbers, reverse=True)
    days = [date.fromisoformat(day) for _, day in released]
    assert days == sorted(days, reverse=True)
    for newer, older in itertools.pairwise(version for version, _ in released):
        assert f"[{newer}]: https://github.com/pilothouse/pilothouse/compare/v{older}...v{newer}" in CHANGELOG


def test_the_kinds_of_change_are_those_of_keep_a_changelog():
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build(folder)
    return folder


def build(folder, *, config=ROOT / "mkdocs.yml"):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(config)]
    subprocess.run([*command, "--site-dir", str(folder)], check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


def test_the_site_fetches_nothing_from_elsewhere(site):
    fetched = re.compile(r'<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)="(?:https?:)?//([^"]*)"')
    for page in site.rglob("*.html"):
        assert fetched.findall(page.read_text("utf-8")) == [], page.name
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)|@import", style.read_text("utf-8")) == []


def test_the_picture_of_the_start_page_is_in_the_page_so_that_it_follows_the_theme(site):
    start = (site / "index.html").read_text("utf-8")
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="picture"' in start
    assert 'aria-labelledby="picture-title picture-text"' in start


def test_links_to_files_outside_of_the_docs_lead_to_the_repository(site):
    start = (site / "index.html").read_text("utf-8")
    assert 'href="https://github.com/pilothouse/pilothouse/blob/main/CONTRIBUTING.md"' in start


@pytest.mark.parametrize("link", ["no/such.md", "index.md#no-such", "../no-such-file.py"])
def test_a_broken_link_fails_the_build(link, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Start\n\n[lost]({link})\n", encoding="utf-8")
    config = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[0]
    config = re.sub(r"(?s)theme:\n.*?\n\n", "theme: mkdocs\n\n", config, count=1)
    config = config.replace("scripts/site_hooks.py", str(ROOT / "scripts" / "site_hooks.py"))
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path / "site", config=tmp_path / "mkdocs.yml")
    (tmp_path / "docs" / "index.md").write_text("# Start\n\n[found](#start)\n", encoding="utf-8")
    build(tmp_path / "site", config=tmp_path / "mkdocs.yml")
