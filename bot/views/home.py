"""The Home tab: firing alerts, decisions waiting for you, runs, monitors, and how to start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.errors import NotAllowedError
from bot.domain.formatting import several
from bot.domain.model import JsonObject
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.run import Run
from bot.views.alert import alert_colour
from bot.views.answers import error_text
from bot.views.blocks import actions, context, fit, header, section
from bot.views.limits import HOME_BLOCKS, MESSAGE_CHARS, bold, prose
from bot.views.monitor import MonitorView, counted, monitor_line, worst_first
from bot.views.phrases import (
    channel,
    human,
    local,
    local_day,
    sentence,
    who,
)
from bot.views.thread.approval import decision_buttons, votes
from bot.views.thread.emergency import emergency_lines
from bot.views.thread.request import open_thread, what_for
from bot.views.thread.state import headline

_MOST = 10


@dataclass(frozen=True, kw_only=True)
class HomeFacts:
    """The contents of one person's Home tab."""

    now: datetime
    services: Sequence[str]
    runs: Sequence[Run] = ()
    waiting: Sequence[Run] = ()
    """The runs that this person may decide."""
    viewer: str = ""
    """The person's id."""
    links: Mapping[str, str] = field(default_factory=dict)
    """The addresses of threads, by run, as far as they are known."""
    firing: Sequence[Alert] = ()
    """Newest first."""
    monitors: Sequence[MonitorView] = ()


def home_view(facts: HomeFacts) -> JsonObject:
    """Return one person's Home tab."""
    shown = {run.id for run in facts.waiting}
    running = [run for run in facts.runs if run.outcome is None and run.id not in shown]
    recent = [run for run in facts.runs if run.outcome is not None]
    blocks: list[JsonObject] = []
    if facts.firing:
        blocks += [header("Firing"), *_firing(facts.firing)]
    if facts.waiting:
        blocks += [header("Waiting for you"), *_waiting(facts)]
    if running:
        blocks += [header("Running"), *_list(running)]
    if not facts.firing and not facts.waiting and not running:
        blocks.append(section("🟢 *All quiet.* No alerts, nothing running, nothing waiting for you."))
    if facts.monitors:
        blocks += [header("Monitors"), *_monitors(facts.monitors, now=facts.now)]
    if recent:
        blocks += [header("Recent"), *_list(recent)]
    blocks += [{"type": "divider"}, *_how_to(facts.services)]
    return {"type": "home", "blocks": list(fit(blocks, chars=MESSAGE_CHARS, count=HOME_BLOCKS))}


def refused_home_view(refusal: NotAllowedError) -> JsonObject:
    """Return the Home tab of a person who may see nothing: why, and what to do."""
    return {"type": "home", "blocks": [section(error_text(refusal))]}


def _firing(alerts: Sequence[Alert]) -> list[JsonObject]:
    blocks = [section(_alert(alert)) for alert in alerts[:_MOST]]
    if len(alerts) > _MOST:
        blocks.append(context(f"and {several(len(alerts) - _MOST, 'more alert')}"))
    return blocks


def _alert(alert: Alert) -> str:
    about = bold(f"{alert.service}: {alert.name}" if alert.service else alert.name, 120)
    parts = [
        f"{alert_colour(alert)} {about}",
        prose(alert.severity, 40),
        f"since {local_day(alert.starts_at)}",
        f"acknowledged by {who(alert.acknowledged_by)}" if alert.acknowledged_by else "",
    ]
    return " · ".join(part for part in parts if part)


def _monitors(views: Sequence[MonitorView], *, now: datetime) -> list[JsonObject]:
    bad = [view for view in worst_first(views, now=now) if view.is_bad(now=now)]
    blocks = [section(counted(views, now=now), *(monitor_line(view, now=now) for view in bad[:_MOST]))]
    more = [f"and {len(bad) - _MOST:,} more with problems"] if len(bad) > _MOST else []
    return [*blocks, context(*more, "`/monitor list` shows them all")]


def _list(runs: Sequence[Run]) -> list[JsonObject]:
    blocks = [section(_line(run), _asks(run)) for run in runs[:_MOST]]
    if len(runs) > _MOST:
        blocks.append(context(f"and {several(len(runs) - _MOST, 'more run')}"))
    return blocks


def _waiting(facts: HomeFacts) -> list[JsonObject]:
    blocks = [block for run in facts.waiting[:_MOST] for block in _to_decide(run, facts)]
    if len(facts.waiting) > _MOST:
        blocks.append(context(f"and {several(len(facts.waiting) - _MOST, 'more run')}"))
    return blocks


def _to_decide(run: Run, facts: HomeFacts) -> list[JsonObject]:
    """Return a request in short, with its buttons; without those once this person has approved."""
    gate = run.waiting_for
    plan = run.plan_for(gate.phase) if gate is not None else None
    opens = open_thread(run, link=facts.links.get(run.id, ""))
    more = [opens] if opens is not None else []
    if gate is None or plan is None:
        return [section(_line(run), _asks(run)), *([actions(*more)] if more else [])]
    what = what_for(gate, plan)
    by = f"Approve or reject by {local(gate.expires_at)}: {sentence(prose(what))}"
    voted = any(one.id == facts.viewer for one in gate.approved_by)
    counts = not voted and facts.now < gate.expires_at
    buttons = [*(decision_buttons(gate, what=what, risk=plan.risk) if counts else ()), *more]
    shown = section(*emergency_lines(run), _line(run), *(votes(gate) if voted else [by]))
    return [shown, *([actions(*buttons)] if buttons else [])]


def _line(run: Run) -> str:
    colour, words = headline(run)
    about = bold(f"{human(run.runbook.name)} {run.service}".strip(), 120)
    parts = [f"{colour} {about}: {words}", channel(run.origin.channel), local_day(run.started_at)]
    return " · ".join(part for part in (*parts, f"by {who(run.requested_by)}") if part)


def _asks(run: Run) -> str:
    gate = run.waiting_for
    if gate is None:
        return ""
    plan = run.plan_for(gate.phase)
    summary = plan.summary if plan is not None else "this run"
    return f"Approve or reject in its thread by {local(gate.expires_at)}: {prose(summary)}"


def _how_to(services: Sequence[str]) -> list[JsonObject]:
    example = services[0] if services else "checkout"
    known = (
        ", ".join(f"`{prose(name, 63)}`" for name in services[:40]) or "none yet: add some to the catalogue"
    )
    return [
        section(
            "*Getting started*",
            f"• `/triage {prose(example, 63)}` in any channel: I read logs, metrics, changes, dependencies"
            " and the database, name the likely cause and propose a fix. Nothing changes until an approver"
            " agrees.",
            "• In a thread, mention me: `@pilothouse triage …`. On any message: ⋮ → *Triage this*.",
            "• `/monitor list` shows what I watch; `/monitor help` lists the other commands.",
            "• An alert comes with a *Triage* button.",
        ),
        context(f"Services I know: {known}"),
    ]
