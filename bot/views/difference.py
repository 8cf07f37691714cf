"""The difference between two versions of a service as text: commits, authors, files, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.model import JsonValue
from bot.views.limits import clean, clip, code, escape

_MOST_COMMITS = 12
_MOST_CHANGES = 5
_SUMMARY_CHARS = 90
_AUTHOR_CHARS = 60


def difference_text(
    service: str,
    before: str,
    after: str,
    *,
    is_past: bool,
    code_lines: Sequence[str],
    settings: Sequence[str],
) -> str:
    """Return what a version would change, or has changed, line by line."""
    head = f"*{service}*: {code(before)} → {code(after)}"
    verb = "has changed" if is_past else "would change"
    if before == after:
        return f"{head}. That version is already serving, so nothing {verb}."
    return "\n".join((f"{head} {verb}:", *code_lines, *settings))


def commit_lines(data: Mapping[str, JsonValue]) -> list[str]:
    """List commits, authors and files; removed commits come first, because they are unexpected."""
    lines: list[str] = []
    for key, words in (("removed", "removed"), ("added", "new")):
        commits, count = data[key], data[f"{key}_count"]
        if not count or not isinstance(commits, list):
            continue
        shown = [f"   ◦ {_commit(one)}" for one in commits[:_MOST_COMMITS] if isinstance(one, Mapping)]
        more = int(str(count)) - len(shown)
        lines += [f"• {count} {'commit' if count == 1 else 'commits'} {words}:", *shown]
        lines += [f"   ◦ and {more} more"] if more > 0 else []
    authors, files = data["authors"], data["files"]
    if isinstance(authors, Mapping) and authors:
        lines.append(f"• By {_plain(', '.join(f'{name} ({count})' for name, count in authors.items()))}")
    if isinstance(files, Mapping):
        lines.append(
            f"• Files changed: {files['changed']}; lines added: {files['added']}, deleted: {files['deleted']}"
        )
    return lines


def unknown_lines(what: str, why: str) -> list[str]:
    """Return that a part of the difference is not known, and why."""
    return [f"• {what}: not known. {_plain(why)}".rstrip()]


def settings_lines(summaries: Sequence[str]) -> list[str]:
    """List the settings and flags that were changed since; they are already in effect."""
    if not summaries:
        return ["• Settings and flags: none changed since then."]
    lines = [f"   ◦ {_plain(summary)}" for summary in summaries[:_MOST_CHANGES]]
    return [f"• Settings and flags changed since then: {len(summaries)}", *lines]


def _commit(commit: Mapping[str, JsonValue]) -> str:
    summary, author = clip(str(commit["summary"]), _SUMMARY_CHARS), str(commit["author"])[:_AUTHOR_CHARS]
    return f"{code(str(commit['commit'])[:8])} {_plain(summary)} ({_plain(author)})"


def _plain(text: str) -> str:
    """Return text from outside that cannot mention, link or break out of its line."""
    return escape(clean(text.replace("`", "'")))
