"""The image is built and run, and the Compose file is started, with Podman and what this machine can pack.

No registry is asked for an image: the base is made from the Python that runs the tests.  All traffic stays on the
loopback address, because the containers share the host's network.
"""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from redis import Redis

import localslack
from demo.scenarios.children import die_with_parent
from demo.scenarios.valkey import server_binary
from tests.deploy.podman import (
    ROOT,
    Podman,
    download_wheels,
    not_tried,
    python_base,
    valkey_image,
    why_not_here,
)
from tests.support.servers import free_port
from tests.support.valkeys import Server, fleet

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(1500),  # the first test waits for the image; on a busy machine that takes long
]

ONCE = ("run", "--rm", "--network", "none", "--no-healthcheck")
IMAGE = "localhost/pilothouse:latest"
COMPOSE = ROOT / "deploy" / "compose.yaml"
CATALOGUE = """\
services:
  - {name: checkout, owner: shop, channel: checkout-oncall}
"""


@dataclass(frozen=True)
class Builder:
    """Builds images without a network, on a base made from the Python that runs the tests."""

    podman: Podman
    base: str
    wheels: Path

    def build(self, folder: Path, tag: str) -> None:
        arguments = {
            "BASE_IMAGE": self.base,
            "PIP_FIND_LINKS": "/wheels",
            "PIP_NO_INDEX": "1",
            "REVISION": "of-the-test",
        }
        options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        offline = ("--network", "none", "--volume", f"{self.wheels}:/wheels:ro")
        build = ("build", "--format", "docker", "--layers=false")
        self.podman(*build, *offline, *options, "--tag", tag, str(folder), timeout_s=900)


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    """Podman with a storage in a temporary folder, and what images are built of."""
    if reason := why_not_here():
        not_tried("the images and the Compose file", reason)
    with tempfile.TemporaryDirectory(prefix="ph-podman-") as folder:
        made = Podman(Path(folder) / "podman")
        try:
            base = python_base(made, Path(folder) / "base")
            wheels = Path(folder) / "wheels"
            download_wheels(wheels)
            yield Builder(made, base, wheels)
        finally:
            made.remove_everything()


@pytest.fixture(scope="module")
def podman(builder: Builder) -> Podman:
    """Podman with the image of Pilothouse."""
    builder.build(ROOT, IMAGE)
    return builder.podman


@pytest.fixture
def slack() -> Iterator[dict[str, str]]:
    """A localslack on the loopback address: its address and tokens."""
    command = [sys.executable, "-m", "localslack", "--port", "0", "--json", "--app-name", "Pilothouse"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        preexec_fn=die_with_parent,  # noqa: PLW1509
    ) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], 60)[0], "localslack did not start within 60 s"
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@pytest.fixture
def valkey() -> Iterator[Server]:
    """A Valkey on the loopback address."""
    with fleet() as servers:
        yield servers.server("--appendonly", "yes")


def settings_of(slack: dict[str, str], *, redis_url: str) -> dict[str, str]:
    return {
        "PILOTHOUSE_SLACK_API_URL": slack["api_url"],
        "PILOTHOUSE_SLACK_BOT_TOKEN": slack["bot_token"],
        "PILOTHOUSE_SLACK_APP_TOKEN": slack["app_token"],
        "PILOTHOUSE_REDIS_URL": redis_url,
        "PILOTHOUSE_HTTP_HOST": "127.0.0.1",
    }


def ports_of(port: int) -> dict[str, str]:
    return {"PILOTHOUSE_HTTP_PORT": str(port), "PILOTHOUSE_METRICS_PORT": str(port)}


def status_of(port: int) -> int:
    """Ask ``/readyz``; 0 while nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def until(true: Callable[[], bool], what: str, *, logs: Callable[[], str], within_s: float = 300) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.2)  # real time: the pause between two looks of a poll
    pytest.fail(f"Not within {within_s} s: {what}\n{logs()[-4000:]}")


def filled(example: str, values: dict[str, str]) -> str:
    """Fill in the example as a person would: a setting that it has is set there, any other is added."""
    for name, value in values.items():
        line = f"{name}={value}"
        example, found = re.subn(rf"(?m)^{name}=.*$", line, example)
        example += "" if found else f"{line}\n"
    return example


def catalogue_in(folder: Path) -> Path:
    file = folder / "catalogue.yaml"
    file.write_text(CATALOGUE, encoding="utf-8")
    file.chmod(0o644)
    return file


def test_localslack_has_an_image_of_its_own(builder):
    builder.build(ROOT / "localslack", "localhost/localslack:latest")
    command = (*ONCE, "--read-only", "--cap-drop", "all", "localhost/localslack:latest")
    assert builder.podman(*command, "--version") == f"localslack {localslack.__version__}"


def test_the_image_runs_the_command_as_a_user_without_rights_on_a_read_only_file_system(podman):
    once = (*ONCE, "--read-only", "--cap-drop", "all")
    assert podman(*once, IMAGE, "--help").startswith("usage: pilothouse")
    script = "id -u; id -g; touch /etc/pilothouse/x 2>/dev/null || echo refused; touch /tmp/x && echo written"
    printed = podman(*once, "--entrypoint", "sh", IMAGE, "-c", script)
    assert printed.split() == ["10001", "10001", "refused", "written"]


def test_the_image_reads_the_runbooks_that_ship(podman):
    printed = podman(*ONCE, "--read-only", IMAGE, "check")
    assert "triage" in printed
    assert "no problems" in printed


def test_the_image_has_no_build_tools_and_no_sources(podman):
    (image,) = json.loads(podman("image", "inspect", IMAGE))
    look = (
        "import glob, importlib.util as u, os;"
        "print(sorted(n for n in ('pip', 'setuptools', 'hatchling', 'wheel')"
        " if glob.glob(f'/opt/pilothouse/lib/python*/site-packages/{n}')),"
        " os.path.exists('/src'), os.path.exists('/dist'), os.path.exists('/wheels/drain3'))"
    )
    printed = podman(*ONCE, "--entrypoint", "python", IMAGE, "-c", look)
    assert printed == "[] False False False"
    assert image["User"] == "10001:10001"
    assert image["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert image["Labels"]["org.opencontainers.image.revision"] == "of-the-test"


def test_all_roles_in_one_container_are_healthy_until_the_store_is_gone(podman, slack, valkey, tmp_path):
    port = free_port()
    settings = settings_of(slack, redis_url=valkey.url) | ports_of(port)
    environment = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    mounted = f"{catalogue_in(tmp_path)}:/etc/pilothouse/catalogue.yaml:ro"
    options = ("--network", "host", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")
    podman("run", "--detach", "--name", "one", *options, *environment, "--volume", mounted, IMAGE)

    def logs() -> str:
        return podman("logs", "one")

    def is_healthy() -> bool:
        try:
            podman("healthcheck", "run", "one")
        except AssertionError:
            return False
        return True

    until(lambda: status_of(port) == 200, "/readyz answers 200", logs=logs)
    assert is_healthy()
    valkey.kill()
    until(lambda: status_of(port) == 503, "/readyz answers 503 without a store", logs=logs)
    assert not is_healthy()
    valkey.start()
    until(lambda: status_of(port) == 200, "/readyz answers 200 again", logs=logs)
    podman("stop", "--time", "40", "one")
    assert podman("inspect", "--format", "{{.State.ExitCode}}", "one") == "0"  # 137 if it ignored SIGTERM
    podman("rm", "one")


def test_the_services_of_the_compose_file_are_ready_together(podman, slack, tmp_path):
    store, ports = free_port(), {role: free_port() for role in ("web", "worker", "clock")}
    whole = yaml.safe_load(COMPOSE.read_text("utf-8"))
    valkey_image(
        podman, tmp_path / "valkey", server=server_binary(), name=whole["services"]["valkey"]["image"]
    )
    (tmp_path / "compose.yaml").write_text(COMPOSE.read_text("utf-8"), encoding="utf-8")
    catalogue_in(tmp_path)
    example = (ROOT / "deploy" / ".env.example").read_text("utf-8")
    given = settings_of(slack, redis_url=f"redis://127.0.0.1:{store}/0")
    (tmp_path / ".env").write_text(filled(example, given), encoding="utf-8")
    # The one difference to a real machine: the host's network, which needs neither a bridge nor a name server.
    server = [*whole["services"]["valkey"]["command"], "--port", str(store), "--bind", "127.0.0.1"]
    on_host: dict[str, dict[str, object]] = {
        role: {"network_mode": "host", "environment": ports_of(port)} for role, port in ports.items()
    }
    on_host["valkey"] = {"network_mode": "host", "command": server}
    (tmp_path / "host.yaml").write_text(yaml.safe_dump({"services": on_host}), encoding="utf-8")

    def compose(*words: str, timeout_s: float = 300) -> str:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "podman_compose", "--in-pod", "false"),
                *(
                    "--podman-path",
                    str(podman.program),
                    "--file",
                    "compose.yaml",
                    "--file",
                    "host.yaml",
                    *words,
                ),
            ],
            cwd=tmp_path,
            env=podman.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    try:
        compose("up", "--detach", "--no-build")
        for role, port in ports.items():
            until(lambda port=port: status_of(port) == 200, f"{role} is ready", logs=lambda: compose("logs"))
        with Redis(port=store, decode_responses=True) as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    finally:
        compose("down", "--volumes")
