"""The environment that settings and the catalogue are read from: the process's own, and a file ``.env``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from bot.domain.errors import SettingsError

FILE_VARIABLE = "PILOTHOUSE_ENV_FILE"
_DEFAULT = Path(".env")


def environment(own: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Return the variables of a process, and those of the file ``.env`` that are not among them.

    The file is the one that ``PILOTHOUSE_ENV_FILE`` names, else ``.env`` in the working directory, if any.

    Raises:
        SettingsError: the file cannot be read, or a line of it is not ``NAME=value``.
    """
    named = own.get(FILE_VARIABLE)
    path = Path(named) if named else _DEFAULT
    if not named and not path.is_file():
        return own
    return {**_variables(path), **own}


def _variables(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8") as lines:
            bindings = list(parse_stream(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}.", hint=f"Correct {FILE_VARIABLE}, or unset it."
        ) from None
    wrong = [str(one.original.line) for one in bindings if one.error or (one.key and one.value is None)]
    if wrong:
        raise SettingsError(
            f"{path}: not NAME=value in line {', '.join(wrong)}.",
            hint="Put a value with spaces or `#` in quotes.",
        )
    return {one.key: one.value for one in bindings if one.key and one.value is not None}
