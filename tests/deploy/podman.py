"""Podman with a storage of its own, and the base images that a machine without a registry makes from itself."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import NoReturn

import pip
import pytest

ROOT = Path(__file__).parents[2]

# runc, because crun needs capabilities that small virtual machines lack; the limits are those that such machines allow.
_CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
"""
_PROGRAMS = ("sh", "cat", "env", "id", "ls", "mkdir", "rm", "sleep", "touch")
_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "test", "idlelib", "config-*"
)


class Podman:
    """Podman, all of whose state is in one folder; ``program`` is a `podman` that uses it."""

    def __init__(self, folder: Path) -> None:
        """Prepare the folder."""
        folder.mkdir(parents=True)
        config = folder / "containers.conf"
        config.write_text(_CONTAINERS_CONF, encoding="utf-8")
        (folder / "tmp").mkdir()
        found = shutil.which("podman")
        assert found, "Podman is not installed: run `make servers`, or install the packages podman and runc"
        self.program = folder / "podman"
        self.program.write_text(
            f'#!/bin/sh\nexec {found} --root {folder}/root --runroot {folder}/run "$@"\n', encoding="utf-8"
        )
        self.program.chmod(0o755)
        self.environment = {
            "PATH": f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin",
            "HOME": str(folder),
            "TMPDIR": f"{folder}/tmp",
            "CONTAINERS_CONF": str(config),
        }

    def __call__(self, *words: str, timeout_s: float = 180) -> str:
        """Run a command and return what it printed.

        Raises:
            AssertionError: it failed; the message has what it printed.
        """
        done = subprocess.run(
            [str(self.program), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, f"podman {' '.join(words)}: {printed[-4000:]}"
        return (printed if words[0] == "logs" else done.stdout).strip()

    def remove_everything(self) -> None:
        """End all containers and take the storage apart, so that its folder can be removed."""
        self("rm", "--all", "--force", "--time", "0")
        # Podman leaves the folder of the layers mounted on itself.
        subprocess.run(["umount", str(self.program.with_name("root") / "overlay")], check=False)


def why_not_here() -> str:
    """Return why containers cannot run on this machine; empty where they can."""
    if platform.system() != "Linux" or os.getuid() != 0:
        return "building and running images needs root on Linux"
    if not Path("/sys/fs/cgroup").is_dir() or not os.access("/sys/fs/cgroup", os.W_OK):
        return "building and running images needs cgroups"
    return ""


def not_tried(what: str, reason: str) -> NoReturn:
    """Fail in CI, where everything has to be tried; elsewhere leave it out, with one line that says so."""
    said = f"NOT TRIED: {what}, because {reason}."
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


def python_base(podman: Podman, folder: Path) -> str:
    """Make an image laid out as `python:3.x-slim` from the Python that runs the tests; returns its name.

    It has a shell, a few programs, the C library, and Python with pip under ``/usr/local``; no compiler.
    """
    root = _file_system(folder)
    library = Path(
        sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix})
    )
    here = root / "usr/local/lib" / library.name
    shutil.copytree(library, here, ignore=_LEFT_OUT, symlinks=True)
    shutil.copytree(Path(pip.__file__).parent, here / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    binary = root / "usr/local/bin" / library.name
    _copy(Path(sys.executable).resolve(), binary)
    for name in ("python3", "python"):
        binary.with_name(name).symlink_to(library.name)
    modules = (library / "lib-dynload").glob("*.so")
    _copy_libraries(root, [Path(sys.executable).resolve(), *modules])
    zones = Path("/usr/share/zoneinfo")
    if zones.is_dir():
        shutil.copytree(zones, root / "usr/share/zoneinfo", symlinks=True)
    return _imported(
        podman, root, "localhost/python-here", "ENV PATH=/usr/local/bin:/usr/bin:/bin", "CMD python3"
    )


def valkey_image(podman: Podman, folder: Path, *, server: Path, name: str) -> None:
    """Make an image with nothing but the Valkey server, under the name that the Compose file gives it."""
    root = _file_system(folder)
    _copy(server, root / "usr/bin/valkey-server")
    _copy_libraries(root, [server])
    _imported(podman, root, name, "ENV PATH=/usr/bin:/bin", "CMD valkey-server")


def download_wheels(folder: Path) -> None:
    """Fetch what the image is built of through pip's ordinary client: the pins, and what builds packages."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    fetch = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--dest",
        str(folder),
    ]
    pins = ["--no-deps", "--require-hashes", "-r", str(ROOT / "requirements.txt")]
    builders = [
        *project["build-system"]["requires"],
        "setuptools",
        "wheel",
    ]  # the latter two for sdists among the pins
    for what in (pins, builders):
        subprocess.run([*fetch, *what], check=True, timeout=500, stdin=subprocess.DEVNULL)


def _file_system(folder: Path) -> Path:
    """Lay out a file system with a shell and a few programs."""
    for name in (
        "bin",
        "etc",
        "proc",
        "sys",
        "dev",
        "run",
        "tmp",
        "usr/bin",
        "usr/local/bin",
        "usr/local/lib",
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="utf-8")
    (folder / "etc/group").write_text("root:x:0:\n", encoding="utf-8")
    programs = [Path(found).resolve() for name in _PROGRAMS if (found := shutil.which(name))]
    for name, program in zip(_PROGRAMS, programs, strict=True):
        _copy(program, folder / "bin" / name)
    _copy_libraries(folder, programs)
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _copy_libraries(root: Path, binaries: list[Path]) -> None:
    """Copy the shared libraries of binaries, and those that compiled wheels expect of every Linux."""
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = dict(re.findall(r"(\S+) => (/\S+)", listed))
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    for name in (
        "libdl.so.2",
        "libgcc_s.so.1",
        "libpthread.so.0",
        "librt.so.1",
        "libstdc++.so.6",
        "libz.so.1",
    ):
        if place := re.search(rf"{re.escape(name)} \(.*x86-64.*\) => (/\S+)", cache):
            found.setdefault(name, place[1])
    for name, place in found.items():
        _copy(Path(place).resolve(), root / f"usr/lib/{platform.machine()}-linux-gnu" / name)
    for loader in set(re.findall(r"^\s+(/lib\S*/ld-\S+)", listed, re.MULTILINE)):
        _copy(Path(loader).resolve(), root / loader.lstrip("/"))


def _imported(podman: Podman, root: Path, name: str, *changes: str) -> str:
    archive = root.with_suffix(".tar")
    subprocess.run(["tar", "--create", "--file", str(archive), "--directory", str(root), "."], check=True)
    options = [word for change in changes for word in ("--change", change)]
    podman("import", *options, str(archive), name)
    archive.unlink()
    shutil.rmtree(root)
    return name
