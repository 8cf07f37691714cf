"""Reads from a store's answer whether it is whole: many answer 200 with a part and report so beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_FLAGS = {
    "isPartial": "some of its stores did not answer",
    "is_partial": "some of its stores did not answer",
    "partial": "some of its stores did not answer",
    "timed_out": "its search ran out of time",
    "timedOut": "its search ran out of time",
    "terminated_early": "its search ended early",
    "incomplete_results": "its search ran out of time",
}
_ANNOTATION = "PromQL info:"
"""How Prometheus begins a remark on the query; nothing is missing for it."""
_MOST_CHARS = 200


def missing_of(answer: object) -> tuple[str, ...]:
    """Return why an answer is only a part, one reason each in words; empty if it is whole.

    Understood are ``warnings`` and ``infos`` (Prometheus, Thanos, Mimir, Loki), ``isPartial``
    (VictoriaMetrics), and ``timed_out``, ``terminated_early``, ``_shards`` and ``_clusters`` (Elasticsearch,
    OpenSearch).
    """
    if not isinstance(answer, Mapping):
        return ()
    return tuple(dict.fromkeys(" ".join(each.split())[:_MOST_CHARS] for each in _reasons(answer)))


def in_words(reasons: Iterable[str]) -> str:
    """Return the reasons as one sentence's end: ``only a part of the data was read (…)``."""
    return f"only a part of the data was read ({'; '.join(reasons)})"


def _reasons(answer: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(each) for each in _list(answer.get("warnings")))
    yield from (str(each) for each in _list(answer.get("infos")) if not str(each).startswith(_ANNOTATION))
    yield from (words for flag, words in _FLAGS.items() if answer.get(flag) is True)
    if answer.get("status") == "partial":
        yield _FLAGS["partial"]
    yield from _of_parts(answer.get("_shards"), "shards of the index", ("failed",))
    yield from _of_parts(answer.get("_clusters"), "clusters", ("skipped", "partial", "failed"))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) and value else []


def _of_parts(parts: object, what: str, kinds: tuple[str, ...]) -> Iterator[str]:
    """Report parts that did not answer in full.  Skipped shards hold nothing that was asked for."""
    if not isinstance(parts, Mapping):
        return
    counts = [parts.get(kind) for kind in kinds]
    failed = sum(count for count in counts if isinstance(count, int))
    if failed:
        why = _why(parts.get("failures"))
        yield f"{failed} of {parts.get('total', 'the')} {what} did not answer in full{why}"


def _why(failures: object) -> str:
    first = failures[0] if isinstance(failures, list) and failures else None
    reason = first.get("reason") if isinstance(first, Mapping) else None
    said = reason.get("reason") if isinstance(reason, Mapping) else reason
    return f": {said}" if isinstance(said, str) and said else ""
