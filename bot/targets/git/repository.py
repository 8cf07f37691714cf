"""The bot's own bare clone, and the plumbing to commit one file to a branch without a working tree.

Without a working tree nothing is ever left half done, and any number of runs may use one clone at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.targets.support.processes import CompletedProgram, run

_IDENTITY = {
    "GIT_AUTHOR_NAME": "pilothouse",
    "GIT_AUTHOR_EMAIL": "pilothouse@localhost",
    "GIT_COMMITTER_NAME": "pilothouse",
    "GIT_COMMITTER_EMAIL": "pilothouse@localhost",
}
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes", "LC_ALL": "C"}
_SPECIAL, _ESCAPED = re.compile(r"([][\\.(){}*+?^$|])"), r"\\\1"
_FORBIDDEN = ("hook declined", "protected branch")
_REJECTED = ("[rejected]", "[remote rejected]", "non-fast-forward", "fetch first", "cannot lock ref")


@dataclass(frozen=True, kw_only=True)
class Repository:
    """One branch of a remote; ``clone`` is the folder for the bot's bare clone."""

    remote: str
    branch: str
    clone: Path
    until_s: float
    """When to give up, by the loop's clock."""

    async def fetch(self) -> str:
        """Fetch the branch; return its commit.

        Raises:
            ActionFailedError: the remote cannot be reached, or has no such branch.
        """
        if not (self.clone / "HEAD").exists():
            await self._init()
        own = f"refs/pilothouse/{secrets.token_hex(8)}"  # others fetch into the same clone
        refs = f"+{self.ref}:{own}"
        ran = await self._try("fetch", "--quiet", "--no-tags", "--end-of-options", self.remote, refs)
        if ran.code:
            raise ActionFailedError(
                f"Fetching the branch {self.branch} failed: {ran.complaint}",
                hint="Check `remote` and `branch` in the catalogue, and that the bot may read them.",
                code="target_unavailable",
            )
        head = (await self._git("rev-parse", own)).strip()
        await self._git("update-ref", "-d", own)
        return head

    async def _init(self) -> None:
        """Make the clone elsewhere, then move it into place: another worker may be making it too."""
        await asyncio.to_thread(self.clone.parent.mkdir, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pilothouse-", dir=self.clone.parent) as folder:
            made = Path(folder) / "clone"
            ran = await run(
                ["git", "init", "--quiet", "--bare", str(made)], within_s=self._left_s(), env={**_QUIET}
            )
            if ran.code:
                raise ActionFailedError(f"git init: {ran.complaint}", code="target_refused")
            with contextlib.suppress(OSError):  # another worker was quicker
                await asyncio.to_thread(made.rename, self.clone)

    @property
    def ref(self) -> str:
        """The branch's full name."""
        return f"refs/heads/{self.branch}"

    async def read(self, commit: str, file: str) -> str:
        """Return a file's content at a commit.

        Raises:
            ActionFailedError: there is no such file.
        """
        ran = await self._try("cat-file", "blob", f"{commit}:{file}")
        if ran.code:
            raise ActionFailedError(
                f"There is no {file} on {self.branch}.",
                hint="Check `file` in the catalogue.",
                code="not_found",
            )
        return ran.out

    async def commit(self, parent: str, *, file: str, text: str, message: str) -> str:
        """Make a commit with one file changed, without pushing; return the commit."""
        blob = (await self._git("hash-object", "-w", "--stdin", stdin=text.encode())).strip()
        entry = (await self._git("ls-tree", parent, "--", file)).split()
        mode = entry[0] if entry else "100644"
        with tempfile.TemporaryDirectory(prefix="pilothouse-index-") as folder:
            index = {"GIT_INDEX_FILE": os.path.join(folder, "index")}  # noqa: PTH118  # a name, not a path to use
            await self._git("read-tree", parent, env=index)
            await self._git("update-index", "--cacheinfo", f"{mode},{blob},{file}", env=index)
            tree = (await self._git("write-tree", env=index)).strip()
        made = await self._git("commit-tree", tree, "-p", parent, "-F", "-", stdin=message.encode())
        return made.strip()

    async def push(self, commit: str, *, rehearse: bool = False) -> bool:
        """Push a commit to the branch, never by force; return false if the branch has moved on.

        Raises:
            ActionFailedError: a rehearsal failed, so a push would fail too.
            ActionInDoubtError: whether the push arrived is unknown.
        """
        flags = ["--dry-run"] if rehearse else []
        ran = await self._try("push", *flags, "--end-of-options", self.remote, f"{commit}:{self.ref}")
        if not ran.code:
            return True
        if rehearse:
            raise ActionFailedError(
                f"The remote does not accept a push: {ran.complaint}", code="target_refused"
            )
        if any(word in ran.err for word in _FORBIDDEN):
            raise ActionFailedError(
                f"The remote refused: {ran.complaint}",
                hint="Allow the bot to push there.",
                code="target_refused",
            )
        if any(word in ran.err for word in _REJECTED):
            return False
        raise ActionInDoubtError(f"The push to {self.branch} gave no clear result: {ran.complaint}")

    async def find(self, commit: str, *, file: str, line: str) -> str:
        """Return the latest commit up to this one whose message has exactly this line; empty if none."""
        pattern = f"^{_SPECIAL.sub(_ESCAPED, line)}$"
        found = await self._git("log", "-1", "--format=%H", "-E", f"--grep={pattern}", commit, "--", file)
        return found.strip()

    async def _git(self, *words: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> str:
        ran = await self._try(*words, env=env, stdin=stdin)
        if ran.code:
            raise ActionFailedError(f"git {words[0]}: {ran.complaint}", code="target_refused")
        return ran.out

    async def _try(
        self, *words: str, env: Mapping[str, str] | None = None, stdin: bytes = b""
    ) -> CompletedProgram:
        command = ["git", f"--git-dir={self.clone}", "-c", "gc.auto=0", *words]
        environment = {**_IDENTITY, **_QUIET, **(env or {})}
        return await run(command, within_s=self._left_s(), env=environment, stdin=stdin)

    def _left_s(self) -> float:
        return max(0.1, self.until_s - asyncio.get_running_loop().time())
