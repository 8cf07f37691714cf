"""The Git repository that defines which version of a service runs in which environment."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import yaml

from demo.shop.clock import utc_now
from demo.shop.errors import ShopError
from demo.shop.processes import find_program

BRANCH = "main"
_ALONE = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "LC_ALL": "C"}
_PATIENCE_S = 10.0


class BareRepository:
    """A bare repository; every user that may write to ``path`` may push to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def create(self, versions: Mapping[str, str]) -> None:
        """Make it with one commit, in which each file names its service's version.

        Raises:
            ShopError: Git refuses.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        await self._git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self.path))
        stream = _commit({file: _content(file, version) for file, version in versions.items()})
        await self._git("fast-import", "--quiet", where=self.path, stdin=stream)

    async def head(self) -> str:
        """Return the branch's commit.

        Raises:
            ShopError: there is none.
        """
        return (await self._git("rev-parse", "--verify", f"refs/heads/{BRANCH}", where=self.path)).strip()

    async def version(self, commit: str, file: str) -> str:
        """Read the version that a file names.

        Raises:
            ShopError: the file is not there, or names none.
        """
        text = await self._git("cat-file", "blob", f"{commit}:{file}", where=self.path)
        try:
            found = yaml.safe_load(text)["image"]["tag"]
        except (yaml.YAMLError, TypeError, KeyError) as error:
            raise ShopError(f"{file} names no image.tag.") from error
        return str(found)

    async def _git(self, *arguments: str, where: Path | None = None, stdin: bytes = b"") -> str:
        place = ("--git-dir", str(where)) if where else ()
        process = await asyncio.create_subprocess_exec(
            find_program("git"),
            *place,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_ALONE,
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                told, complaint = await process.communicate(stdin)
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise ShopError(f"git {arguments[0]}: {complaint.decode(errors='replace').strip()}")
        return told.decode(errors="replace")


def _content(file: str, version: str) -> str:
    service = Path(file).stem
    return f"# A commit that changes the tag is a deployment.\nservice: {service}\nimage:\n  tag: {version}\n"


def _commit(files: Mapping[str, str]) -> bytes:
    """Write one commit as ``git fast-import`` reads it."""
    at = int(utc_now().timestamp())
    lines = [
        f"commit refs/heads/{BRANCH}",
        f"committer shop <shop@localhost> {at} +0000",
        *_data("What runs where"),
    ]
    for file, text in files.items():
        lines += [f"M 100644 inline {file}", *_data(text)]
    return ("\n".join(lines) + "\n").encode()


def _data(text: str) -> tuple[str, str]:
    return f"data {len(text.encode())}", text
