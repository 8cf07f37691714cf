"""Files: their bytes, their kind, and how large a picture is."""

from __future__ import annotations

import mimetypes
import secrets
import struct

from localslack.core import Core
from localslack.ids import new_id
from localslack.store import File

_PNG = b"\x89PNG\r\n\x1a\n"


def announce_file(core: Core, *, name: str, user: str, size: int, alt_text: str = "") -> File:
    """Register a file whose bytes will follow."""
    file = File(
        id=new_id("F"),
        name=name.replace("/", "_"),
        title=name,
        size=size,
        mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
        user=user,
        created=int(core.clock.now()),
        secret=secrets.token_urlsafe(18),
        alt_text=alt_text,
    )
    core.store.files[file.id] = file
    return file


def receive(file: File, content: bytes) -> None:
    """Store the bytes of a file."""
    file.content = content
    file.size = len(content)
    file.width, file.height = png_size(content)


def store_file(core: Core, *, name: str, user: str, content: bytes) -> File:
    """Store a whole file at once."""
    file = announce_file(core, name=name, user=user, size=len(content))
    receive(file, content)
    file.is_complete = True
    return file


def png_size(content: bytes) -> tuple[int, int]:
    """Return the width and height of a PNG in pixels; (0, 0) for anything else."""
    if not content.startswith(_PNG) or len(content) < 24:  # noqa: PLR2004  # where the IHDR's two sizes end
        return 0, 0
    width, height = struct.unpack(">II", content[16:24])
    return width, height
