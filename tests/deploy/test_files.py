"""What is deployed is linted, and its parts agree with the settings and with each other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bot.settings import load_settings
from tests.deploy.podman import ROOT

CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
EXAMPLE = (ROOT / "deploy" / ".env.example").read_text("utf-8")
ROLES = ("web", "worker", "clock")


def lint(text: str) -> subprocess.CompletedProcess[str]:
    hadolint = Path(sys.executable).with_name("hadolint")
    return subprocess.run([hadolint, "-"], input=text, capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing_in_the_containerfile():
    done = lint(CONTAINERFILE)
    assert (done.returncode, done.stdout) == (0, "")
    assert "DL3020" in lint(CONTAINERFILE + "ADD README.md /\n").stdout  # what is wrong is found


def test_every_folder_that_the_containerfile_copies_is_let_through_to_it():
    ignore = (ROOT / ".containerignore").read_text("utf-8")
    copied = {
        name.removeprefix("./")
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
        for name in line.split()
    }
    assert copied == set(re.findall(r"^!(\S+)$", ignore, re.MULTILINE))
    assert (ROOT / ".dockerignore").read_text("utf-8") == ignore


def test_every_role_of_the_compose_file_is_shut_in():
    assert set(COMPOSE["services"]) == {*ROLES, "valkey"}
    for role in ROLES:
        service = COMPOSE["services"][role]
        assert service["command"] == [role]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert service["env_file"] == ".env"


def test_the_compose_file_listens_on_the_loopback_address_only():
    published = {name: each.get("ports", []) for name, each in COMPOSE["services"].items()}
    assert published.pop("web") == ["127.0.0.1:8080:8080"]
    assert not any(published.values())


def test_the_store_of_the_compose_file_keeps_what_it_acknowledged():
    valkey = COMPOSE["services"]["valkey"]
    words = valkey["command"]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options == {
        "--dir": "/data",
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--maxmemory-policy": "noeviction",
    }
    assert valkey["volumes"] == ["valkey-data:/data"]


def test_the_settings_of_the_example_and_of_the_image_exist():
    example = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    image = dict(re.findall(r"(PILOTHOUSE_\w+)=([^\s\\]+)", CONTAINERFILE))
    settings = load_settings(example | image)
    assert settings.http_port == settings.metrics_port == 8080
    assert settings.redis_url == "redis://valkey:6379/0"


@pytest.mark.parametrize("file", ["deploy/compose.yaml", "deploy/systemd/pilothouse@.service"])
def test_a_worker_has_longer_to_end_than_it_needs_to_hand_over(file):
    text = (ROOT / file).read_text("utf-8")
    (given_s,) = re.findall(r"(?:stop_grace_period: |TimeoutStopSec=)(\d+)s\n", text)[:1]
    assert int(given_s) > load_settings({}).drain_s
