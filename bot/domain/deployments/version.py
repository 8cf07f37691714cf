"""A version as people and systems may name it, and what is known of the versions that exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Annotated

from pydantic import AfterValidator

from bot.domain.formatting import listed

MOST_CHARS = 64
"""The longest version: it has to fit into a folder's name, a tag, a Redis key and one line of a chat."""
_VERSION = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._+-]{{0,{MOST_CHARS - 1}}}")
_LOCK = ".lock"
_MOST_SHOWN = 256
_NEAR = 0.6
_MOST_NEAREST = 3
_NUMBER = re.compile(r"(\d+)")

RULE = f"letters, digits and `.` `_` `+` `-`, at most {MOST_CHARS}, beginning with a letter or a digit"
"""What a version may consist of, for hints."""


def is_version(text: str) -> bool:
    """Return whether a text may name a version: it is harmless in a path, a tag, YAML and a command line."""
    return (
        _VERSION.fullmatch(text) is not None and ".." not in text and not text.endswith((".", _LOCK))
    )  # Git allows no such tag


def _checked(text: str) -> str:
    if not is_version(text):
        raise ValueError(f"a version has only {RULE}")
    return text


Version = Annotated[str, AfterValidator(_checked)]
"""A version, a tag or the key of a flag, as people, webhooks and runbooks may give it."""


def _checked_if_given(text: str) -> str:
    return _checked(text) if text else ""


OptionalVersion = Annotated[str, AfterValidator(_checked_if_given)]
"""A version, or an empty text where none is named."""


def is_one_line(text: str) -> bool:
    """Return whether a text is one printable line that no program takes for an option."""
    return 0 < len(text) <= _MOST_SHOWN and text.isprintable() and text == text.strip() and text[0] != "-"


def _on_one_line(text: str) -> str:
    if text and not is_one_line(text):
        raise ValueError(f"a version is one printable line of at most {_MOST_SHOWN} characters")
    return text


TargetVersion = Annotated[str, AfterValidator(_on_one_line)]
"""A version as a target or a feed reports it, such as ``release/1.4``; empty where none is known.

It is wider than what people may type, so that there is a way back to it; who writes it down quotes it.
"""


@dataclass(frozen=True, kw_only=True)
class KnownVersions:
    """What one source answers about the versions of a service."""

    source: str
    """Its name in messages."""
    versions: tuple[str, ...] = ()
    complete: bool = False
    """Whether a version that is missing here does not exist; records only ever show that one does."""


@dataclass(frozen=True, kw_only=True)
class VersionCheck:
    """Whether a version exists, by all sources that could be asked."""

    version: str
    known: bool | None
    """None: no source can rule it out."""
    nearest: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    """Why sources did not answer."""

    def refusal(self, service: str) -> str:
        """Return the sentence for a version that does not exist."""
        near = f" Did you mean {listed([f'`{one}`' for one in self.nearest], last='or')}?"
        return f"There is no {service} `{self.version}`.{near if self.nearest else ''}"

    @property
    def remark(self) -> str:
        """A sentence for the plan where nothing could be checked; empty where a source knows the version."""
        if self.known is not None:
            return ""
        why = f": {'; '.join(gap.rstrip('.') for gap in self.gaps)}" if self.gaps else ""
        return f"Nobody could check that {self.version} exists{why}."


def check_version(
    version: str, answers: Collection[KnownVersions], *, gaps: Sequence[str] = ()
) -> VersionCheck:
    """Decide whether a version exists; pure.

    It exists where any source has it.  It does not where at least one source has all versions, none has this
    one, and none failed (``gaps``).  Otherwise nothing is known.
    """
    if any(version in answer.versions for answer in answers):
        return VersionCheck(version=version, known=True)
    known = list(dict.fromkeys(one for answer in answers for one in answer.versions))
    complete = any(answer.complete and answer.versions for answer in answers)
    return VersionCheck(
        version=version,
        known=False if complete and not gaps else None,
        nearest=nearest_versions(version, known),
        gaps=tuple(gaps),
    )


def nearest_versions(version: str, known: Collection[str]) -> tuple[str, ...]:
    """Return up to three known versions: first those spelt most like ``version``, then the highest."""

    def likeness(one: str) -> float:
        return SequenceMatcher(None, bare(one), bare(version)).ratio()

    def closeness(one: str) -> tuple[int, float]:
        pairs = zip(bare(one), bare(version), strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return same, likeness(one)

    valid = [one for one in known if is_version(one)]
    alike = sorted((one for one in valid if likeness(one) >= _NEAR), key=closeness, reverse=True)
    highest = sorted(valid, key=_rank, reverse=True)
    return tuple(dict.fromkeys((*alike, *highest)))[:_MOST_NEAREST]


def bare(version: str) -> str:
    """Return a version in lower case and without the ``v`` that many tags begin with."""
    folded = version.casefold()
    return folded[1:] if re.match(r"v\d", folded) else folded


def _rank(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what orders versions: numbers by their value, a release after its own candidates."""
    release, _, candidate = bare(version).partition("-")
    parts = [
        (1, int(part), "") if part.isdigit() else (0, 0, part) for part in _NUMBER.split(release) if part
    ]
    return (*parts, (0, 1, "") if not candidate else (0, 0, candidate))
