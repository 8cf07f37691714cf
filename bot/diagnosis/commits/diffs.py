"""What a diff takes away and what it brings, without what it only moves about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property

from bot.diagnosis.commits.case import Commit
from bot.diagnosis.commits.tokens import words
from bot.domain.model import Model

_SILENT_FILE = re.compile(
    r"(\.(md|rst|txt|css|scss|less|svg|png|snap)$|(^|/)(docs?|documentation|tests?|testdata|__tests__|fixtures)/"
    r"|[._-](test|spec)\.\w+$|_test\.\w+$|(^|/)test_\w+\.py$|CODEOWNERS|LICENSE|CHANGELOG"
    r"|(^|/)\.(github|circleci|gitlab-ci|golangci)|(^|/)theme\.\w+$|(^|/)staging(/|\.))",
    re.IGNORECASE,
)
_MANIFEST_FILE = re.compile(
    r"(^|/)(go\.(mod|sum)|package(-lock)?\.json|yarn\.lock|requirements[^/]*\.txt|poetry\.lock|Cargo\.(toml|lock)"
    r"|pom\.xml|Gemfile(\.lock)?|build\.gradle(\.kts)?)$"
)
_SETTINGS_FILE = re.compile(
    r"\.(ya?ml|json|toml|ini|conf|cfg|properties|env|tf|tfvars|hcl|xml)$|(^|/)\.env[^/]*$", re.IGNORECASE
)
_COMMENT = re.compile(r"^\s*(//|#(?!\w+\()|--\s|/?\*|<!--)")
_LOGGING = re.compile(
    r"\b(log|logger|logging|slog|console|LOG)(_\w+|\.\w+)?\s*\((?!\W*(\w+\.)?(DEBUG|TRACE)\b)|\.(Str|Info|Debug|Warn)\("
)
_HEADER = re.compile(r"diff |index |@@|(---|\+\+\+) ?([ab]/|/dev/null)")
_HUNK = re.compile(r"@@ [^@]*@@(.*)")
_PLAIN = re.compile(r"[-\s]*[\w.-]+\s*[:=]\s*([^\s\"'`{}\[\],;]+)[\s,;]*")
_LITERAL = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'|`([^`\n]*)`")


class Diff(Model):
    """A diff, line by line; comments and lines of logging are left out, as they break nothing."""

    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    """Lines that stay as they are beside those that change, and what they are part of."""
    text: str = ""
    silent: bool = False
    """Only documentation, tests, styles, build or staging files."""
    manifest: bool = False
    """Only files that name the versions of dependencies."""
    settings: bool = False
    """Only files of settings: what stands behind a colon is a text there, quoted or not."""
    unknown: bool = False
    """The diff was not to be had."""

    @cached_property
    def gone(self) -> Counter[str]:
        """Words that are left out, net of those that come back."""
        return _counted(self.removed) - _counted(self.added)

    @cached_property
    def come(self) -> Counter[str]:
        """Words that are new, net of those that were there."""
        return _counted(self.added) - _counted(self.removed)

    @cached_property
    def literals_gone(self) -> frozenset[str]:
        """Quoted texts that are left out."""
        return self._texts(self.removed) - self._texts(self.added)

    @cached_property
    def literals_come(self) -> frozenset[str]:
        """Quoted texts that are new."""
        return self._texts(self.added) - self._texts(self.removed)

    def _texts(self, lines: tuple[str, ...]) -> frozenset[str]:
        plain = [m[1] for m in map(_PLAIN.fullmatch, lines) if m] if self.settings else []
        return frozenset({*_literals(lines), *plain})


def parse(commit: Commit) -> Diff:
    """Read a unified diff, also one without a header of lines; hunks of silent files are left out."""
    removed: list[str] = []
    added: list[str] = []
    near: list[str] = []
    silent = False
    for line in commit.diff.splitlines():
        if _HEADER.match(line):
            named = [name for name in commit.files if name in line]
            silent = any(_SILENT_FILE.search(name) for name in named) if named else silent
            near += [] if silent else [part for part in _HUNK.findall(line) if part.strip()]
            continue
        body = line[1:]
        if line[:1] == " " and not silent:
            near.append(body.strip())
        if silent or line[:1] not in {"-", "+"} or not body.strip() or _idle(body):
            continue
        (removed if line[0] == "-" else added).append(body.strip())
    kept = _unmoved(removed, added), _unmoved(added, removed)
    files = commit.files
    return Diff(
        removed=kept[0],
        added=kept[1],
        near=tuple(near),
        text=commit.diff,
        silent=bool(files) and all(_SILENT_FILE.search(name) for name in files),
        manifest=bool(files) and all(_MANIFEST_FILE.search(name) for name in files),
        settings=bool(files) and all(_SETTINGS_FILE.search(name) for name in files),
        unknown=not commit.diff.strip(),
    )


def _idle(body: str) -> bool:
    """Return whether a line breaks nothing: a comment, or something that only logs."""
    return bool(_COMMENT.match(body) or _LOGGING.search(body))


def _unmoved(lines: list[str], others: list[str]) -> tuple[str, ...]:
    """Drop the lines that the other side has, too: they were moved or indented."""
    left = Counter(_squeezed(line) for line in others)
    out = []
    for line in lines:
        if left[_squeezed(line)] > 0:
            left[_squeezed(line)] -= 1
        else:
            out.append(line)
    return tuple(out)


def _squeezed(line: str) -> str:
    return re.sub(r"\s+", "", line)


def _counted(lines: Iterable[str]) -> Counter[str]:
    return Counter(word for line in lines for word in words(line))


def _literals(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        for groups in _LITERAL.findall(line):
            text = next((group for group in groups if group), "")
            if text:
                yield text
