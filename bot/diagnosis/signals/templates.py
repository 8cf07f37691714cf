"""Groups log lines by their text, ignoring numbers and names in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig

_MASKS = (
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\bhttps?://[^\s\"']+"), "<url>"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "<email>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\b"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<ip>"),
    # A quote within a word is an apostrophe, and opens or closes nothing.
    (re.compile(r"(?<!\w)(?:\"[^\"]*\"|`[^`]*`|'(?:[^']|(?<=\w)'(?=\w))*'(?!\w))"), "<quoted>"),
    (
        re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{8,}\b"),
        "<hex>",
    ),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]*-[\w-]*\d[\w-]*\b"), "<id>"),
    (re.compile(r"(?<![A-Za-z_])[+-]?\d+(?:[.,:]\d+)*"), "<n>"),
)
_MAX_MESSAGE = 400
_LIST = re.compile(r"(<\w+>)(?:[,\s]+\1)+")
_DIGITS = re.compile(r"(?<![A-Za-z_\d])\d+")


def mask(message: str) -> str:
    """Replace what varies from line to line: ids, numbers, quoted strings, addresses, times."""
    # Most lines differ in their numbers alone: made alike first, they are masked once for all.
    return _masked(_DIGITS.sub(_zeros, message[:_MAX_MESSAGE]))


def _zeros(digits: re.Match[str]) -> str:
    return "0" * len(digits[0])  # as long as they were: a time or an address is known by its shape


@lru_cache(maxsize=20_000)
def _masked(text: str) -> str:
    for pattern, name in _MASKS:
        text = pattern.sub(name, text)
    return _LIST.sub(r"\1", text)


def group(messages: Iterable[str]) -> Mapping[str, str]:
    """Map each distinct masked message to its template, by Drain (He et al. 2017).

    Order does not matter: the messages are taken in the order of their text.
    """
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    config.drain_sim_th = 0.6
    config.drain_depth = 5
    config.drain_max_clusters = 2000
    miner = TemplateMiner(config=config)
    distinct = sorted(set(messages))
    clusters = {text: miner.add_log_message(text)["cluster_id"] for text in distinct}
    templates = {cluster.cluster_id: cluster.get_template() for cluster in miner.drain.clusters}
    return {text: templates.get(cluster, text) for text, cluster in clusters.items()}


def digest_of(text: str) -> str:
    """Return a short name for a template or any other text that stays the same; 8 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
