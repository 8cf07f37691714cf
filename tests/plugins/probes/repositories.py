"""A real Git repository, made up commit by commit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


class Repo:
    """A repository with a tag a version; each change is a commit of somebody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shop"
        self.folder.mkdir()
        self.clone = folder / "clone"
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        command = ["git", "-C", str(self.folder), "-c", "user.email=x@shop", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def change(self, file: str, text: str, *, by: str, why: str, tag: str = "") -> None:
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(text)
        self.git("add", ".")
        self.git("-c", f"user.name={by}", "commit", "-q", "-m", why)
        if tag:
            self.git("-c", f"user.name={by}", "tag", "-a", "-m", tag, tag)

    def service(self, *, remote: bool = False, **more: str) -> dict[str, Any]:
        where = {"url": str(self.folder), "clone": str(self.clone)} if remote else {"path": str(self.folder)}
        return {"name": "checkout", "sources": {"git": {**where, "tag_prefix": "v", **more}}}
