"""Causes that no commit has: providers, the platform, neighbours, traffic and poisoned data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from bot.diagnosis.commits.case import ChangeCase
from bot.diagnosis.commits.symptoms import Symptoms
from bot.domain.model import Model, Share

_WELL = frozenset(
    {"ok", "operational", "resolved", "up", "healthy", "normal", "none", "completed", "scheduled"}
)
_TRAFFIC = re.compile(
    r"(^|_)(requests?|rps|qps|req|messages|connections|sessions|users)(_|s?$)|throughput|traffic|arrival",
    re.IGNORECASE,
)
_NO_TRAFFIC = re.compile(
    r"error|fail|5xx|4xx|latency|duration|timeout|reject|retr|queue|pool|wait|throttl|size|bytes|active|idle|max",
    re.IGNORECASE,
)
_HOST = re.compile(r"(^|_)(node|host|machine|disk|hypervisor|vm)_|steal", re.IGNORECASE)
_PLATFORM_WORDS = re.compile(
    r"no such host|ENOTFOUND|SERVFAIL|NXDOMAIN|server misbehaving|name resolver"
    r"|certificate (has )?expired|x509|no space left|read-only file system|no route to host"
    r"|network is unreachable|node \S+ (is )?(not ?ready|under|memorypressure)|noisy|co-?tenant"
    r"|cpu.?(contended|starved|steal)|preempt|evicted|spot (instance|interruption)"
    r"|insufficient (host )?capacity|availability zone|hardware error|recovery mode"
    r"|failover (started|in progress)|read-only transaction|account (suspended|limit)|billing"
    r"|provider (outage|incident)|third.?party",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\b(record|message|msg|event|job|offset|tenant|customer|account|document|object|file|row|sku)[\w.]*"
    r"[=:]\s*([\w.-]{2,})"
)
_POISON = re.compile(
    r"redeliver|poison|malformed|corrupt|same offset|dead.?letter|unparse?able", re.IGNORECASE
)
_FOREIGN = re.compile(r"\b(?!localhost)[\w-]+(?:\.[\w-]+)*\.(?:com|io|net|org|dev|cloud|app)\b")
_REFUSED = re.compile(
    r"\b(5\d\d|429)\b|timed? ?out|unavailable|refused|rate.?limit|quota|reset", re.IGNORECASE
)
_SURGE = 2.0
_LEAST_LINES = 5
_ONE_UNIT_SHARE = 0.9
_MANY_SERVICES = 4
_BEFORE = timedelta(hours=6)


class ExternalSign(Model):
    """A sign that the cause lies outside of the repository; ``strength`` is 0 to 1."""

    kind: str
    strength: Share
    what: str


def outside(case: ChangeCase, symptoms: Symptoms) -> list[ExternalSign]:
    """List the signs of an outside cause, the strongest first."""
    found = [sign for look in _LOOKS for sign in look(case, symptoms)]
    return sorted(found, key=lambda sign: (-sign.strength, sign.kind, sign.what))


def _status(case: ChangeCase, symptoms: Symptoms) -> Iterator[ExternalSign]:
    for status in case.statuses:
        near = symptoms.onset - _BEFORE <= status.at <= case.alert.fired_at
        if near and status.status.lower() not in _WELL:
            yield ExternalSign(kind="status", strength=0.9, what=f"{status.status}: {status.text}")
            return


def _traffic(case: ChangeCase, symptoms: Symptoms) -> Iterator[ExternalSign]:
    """Find more requests than usual: twice and more, at the place of the trouble or in front of it."""
    there = {case.alert.service, symptoms.first, *symptoms.upstream}
    for shift in symptoms.shifts:
        counts = _TRAFFIC.search(shift.metric) and not _NO_TRAFFIC.search(shift.metric)
        if counts and shift.service in there and shift.before > 0 and shift.after >= _SURGE * shift.before:
            what = f"{shift.metric} of {shift.service} is {shift.after / shift.before:.1f} times the usual"
            yield ExternalSign(kind="traffic", strength=0.8, what=what)
            return


def _neighbour(case: ChangeCase, symptoms: Symptoms) -> Iterator[ExternalSign]:
    """Find a machine that is under load, and something that runs without ever having been deployed here."""
    hosts = [s for s in symptoms.shifts if _HOST.search(s.metric) and s.after > s.before]
    if not hosts:
        return
    ours = {rollout.service for rollout in case.rollouts} | {line.service for line in symptoms.complaints}
    ours |= {call.service for call in case.calls} | {case.alert.service}
    guests = {s.service for s in symptoms.shifts if s.after > s.before and _usage(s.metric)} - ours
    guests -= {shift.service for shift in hosts}
    what = f"{hosts[0].service}: {hosts[0].metric} rose"
    yield ExternalSign(kind="host", strength=0.8 if guests else 0.5, what=", ".join([what, *sorted(guests)]))


def _usage(metric: str) -> bool:
    return "cpu" in metric.lower() or "memory" in metric.lower()


def _platform(case: ChangeCase, symptoms: Symptoms) -> Iterator[ExternalSign]:
    """Find complaints about what lies below all services; the more of them complain, the surer."""
    services: Counter[str] = Counter()
    sample = ""
    for line in symptoms.complaints:
        if _PLATFORM_WORDS.search(line.text):
            services[line.service] += 1
            sample = sample or line.text
    if services:
        share = min(1.0, len(services) / _MANY_SERVICES)
        yield ExternalSign(kind="platform", strength=0.3 + 0.5 * share, what=sample)
    elif _PLATFORM_WORDS.search(case.alert.text):
        yield ExternalSign(kind="platform", strength=0.4, what=case.alert.text)


def _provider(_: ChangeCase, symptoms: Symptoms) -> Iterator[ExternalSign]:
    """Find complaints about the answers of a third party's address."""
    told = [line for line in symptoms.complaints if line.service == symptoms.first]
    about = [line for line in told if _FOREIGN.search(line.text) and _REFUSED.search(line.text)]
    if about and len(about) >= len(told) / 2:
        yield ExternalSign(kind="provider", strength=0.7, what=about[0].text)


def _poison(_: ChangeCase, symptoms: Symptoms) -> Iterator[ExternalSign]:
    """Find one record that fails over and over, which another record would not."""
    told = [line for line in symptoms.complaints if line.service == symptoms.first]
    units = [dict.fromkeys(match.group(0) for match in _UNIT.finditer(line.text)) for line in told]
    counts = Counter(unit for found in units for unit in found)
    always = sorted(unit for unit, count in counts.items() if count >= _ONE_UNIT_SHARE * len(told))
    if len(told) >= _LEAST_LINES and always:
        again = any(_POISON.search(line.text) for line in told)
        yield ExternalSign(kind="data", strength=0.8 if again else 0.5, what=f"it is always {always[0]}")


_LOOKS = (_status, _traffic, _neighbour, _platform, _provider, _poison)
