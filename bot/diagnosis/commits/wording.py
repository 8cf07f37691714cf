"""Words for what a commit does, and the log lines that show it."""

from __future__ import annotations

import re

from bot.diagnosis.commits.content import CommitContent
from bot.diagnosis.commits.hazards import Hazard
from bot.diagnosis.commits.symptoms import Symptoms

_MOST_CHARS = 90
_MOST_QUOTED = 60
_STARTS = {
    "guard": ("no longer: ", "takes out "),
    "check": ("a check is gone", "takes out a check"),
    "trust": ("who is let in changes", "changes who is let in"),
    "dependency": ("other versions", "brings other versions"),
    "switch": ("", "switches over "),
}
"""For hazards not worded as an action of the commit: how they begin, and what to write instead."""


def does(hazard: Hazard) -> str:
    """Return what a hazard does, as words that follow *the commit*: ``lowers timeout_ms from 300 to 5``."""
    setting = hazard.setting
    if hazard.kind == "setting" and setting is not None:
        factor = setting.factor
        verb = "changes" if factor is None else "lowers" if factor < 1 else "raises"
        return _cut(f"takes {setting.name} out" if setting.after is None else f"{verb} {hazard.what}")
    if hazard.kind == "switch" and setting is not None:
        return _cut(f"switches {setting.name} over")
    if hazard.kind in {"name", "logic", "edit", "dropped", "guarded"}:
        old, _, new = hazard.what.partition(" becomes ")
        return f"turns `{_cut(old, most=_MOST_CHARS // 2)}` into `{_cut(new, most=_MOST_CHARS // 2)}`"
    start, instead = _STARTS.get(hazard.kind, ("", ""))
    return _cut(instead + hazard.what.removeprefix(start) if instead else hazard.what)


def quoted(content: CommitContent, symptoms: Symptoms) -> str:
    """Return the few words of a complaint that contain what the commit changed; empty if none does."""
    for told in content.told:
        around = re.compile(rf"(?:\S+\s)?\S*(?<![\w-]){re.escape(told)}(?![\w-])\S*(?:\s\S+)?")
        for line in symptoms.complaints:
            found = around.search(line.text)
            if found:
                return _cut(found.group(0).strip(" ,;:"), most=_MOST_QUOTED)
    return ""


def _cut(text: str, *, most: int = _MOST_CHARS) -> str:
    flat = " ".join(text.split()).replace("`", "'")
    return flat if len(flat) <= most else f"{flat[: most - 1].rstrip()}…"
