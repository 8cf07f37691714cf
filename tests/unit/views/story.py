"""Runs built event by event, as the engine does, and the messages that people see of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.diagnosis import Cause, CauseKind, Diagnosis, RuledOut, Source, SourceStatus
from bot.domain.diagnoses.finding import Evidence, Facts, Finding, FindingKind, Findings, Measurement
from bot.domain.model import JsonObject, Model
from bot.domain.people import Person
from bot.domain.runs.approval import Approval, Audience
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalRequested,
    ApproversFound,
    CancelRequested,
    EffectIntended,
    Event,
    Origin,
    PhaseFinished,
    PhaseStarted,
    PlanRendered,
    RunFinished,
    RunStarted,
    StepFinished,
    StepRef,
    StepUndone,
    VoteCast,
    WatchSampled,
)
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import ApprovalPolicy, Check, PluginCall, Runbook
from bot.views.blocks import flatten
from bot.views.limits import unescape
from bot.views.phrases import (
    groups_in,
    names_in,
)
from bot.views.thread.details import details_modal
from bot.views.thread.run import run_messages
from tests.support.worlds import ANA, BEN, START
from tests.unit.views.oracle import assert_valid_message, assert_valid_view

PROBES = {
    "logs": ("logs", "Logs"),
    "metrics": ("monitoring", "Metrics"),
    "changes": ("cicd", "Recent changes"),
    "dependencies": ("network", "Dependencies"),
    "database": ("database", "Database"),
}

TRIAGE = Runbook.model_validate(
    {
        "name": "triage",
        "summary": "Find the cause and propose a remedy.",
        "params": {"service": {"type": "service", "required": True}},
        "phases": [
            {
                "id": "ground",
                "kind": "explore",
                "title": "Look around",
                "steps": [{"id": "who", "probe": "catalogue"}],
            },
            {
                "id": "evidence",
                "kind": "fan_out",
                "title": "Gather evidence",
                "steps": [{"id": name, "probe": name} for name in PROBES],
            },
            {
                "id": "diagnose",
                "kind": "reduce",
                "title": "Diagnose",
                "reducer": "rank_causes",
                "over": ["evidence"],
            },
            {
                "id": "remedy",
                "kind": "plan",
                "title": "Plan the remedy",
                "diagnosis": "diagnose",
            },
            {
                "id": "fix",
                "kind": "pipeline",
                "title": "Fix",
                "plan": "remedy",
                "approval": {"groups": ["oncall"]},
            },
            {
                "id": "watch",
                "kind": "background",
                "title": "Keep watching",
                "after": "fix",
                "for_s": 600,
                "checks": [{"id": "rate", "probe": "rate", "expect": "result.value < 1"}],
            },
        ],
    }
)

ERRORS = Finding(
    id="metrics:error_rate_up:checkout",
    source="metrics",
    kind=FindingKind.ERROR_RATE_UP,
    service="checkout",
    summary="checkout answers 12 % of its requests with a server error, usually 0.2 %.",
    began_at=START - timedelta(seconds=54),
    strength=0.97,
    evidence=(
        Evidence(
            text="checkout answers 12 % of its requests with a server error",
            query='sum(rate(http_requests_total{service="checkout",status=~"5.."}[10s]))',
            url="http://prometheus:9090/graph?g0.expr=a%7Cb&g0.tab=0",
            value=0.12,
            baseline=0.002,
            unit="ratio",
        ),
    ),
)
LINES = Finding(
    id="logs:new:checkout",
    source="logs",
    kind=FindingKind.LOG_TEMPLATE_NEW,
    service="checkout",
    summary="A new error line in checkout 2.3.1",
    began_at=START - timedelta(seconds=53),
    strength=0.9,
    evidence=(
        Evidence(text="KeyError: 'discount' <!channel> in `price`", value=214, baseline=0, unit="lines"),
    ),
)
DEPLOY = Finding(
    id="changes:deploy:checkout",
    source="changes",
    kind=FindingKind.CHANGE_DEPLOY,
    service="checkout",
    summary="checkout 2.3.1 was deployed at 02:59:00 UTC by chika",
    began_at=START - timedelta(seconds=60),
    strength=1,
    evidence=(Evidence(text="deploy 77", url="https://deploys.example/77"),),
)

BAD_RELEASE = Cause(
    kind=CauseKind.BAD_RELEASE,
    service="checkout",
    component="2.3.1",
    summary="Release 2.3.1 of checkout fails 12 % of its requests",
    confidence=0.92,
    evidence=(ERRORS.id, LINES.id, DEPLOY.id),
    against=("CPU of the new version is as usual",),
    began_at=START - timedelta(seconds=54),
    data={"version": "2.3.1", "previous_version": "2.3.0"},
)
SLOW_BANK = Cause(
    kind=CauseKind.DEPENDENCY_DOWN, service="bank", summary="The bank answers slowly", confidence=0.35
)


def found(source: str) -> Findings:
    """Return what each probe finds in the bad release."""
    return {
        "logs": Findings(items=(LINES,), looked_at="4,210 lines of 3 services over 30 min"),
        "metrics": Findings(
            items=(ERRORS,), looked_at="41 series of 3 services", normal=("CPU is as usual",)
        ),
        "changes": Findings(items=(DEPLOY,), looked_at="2 changes in 60 min"),
        "dependencies": Findings(looked_at="4 health checks", normal=("payments answers in 4 ms",)),
        "database": Findings(looked_at="1 database, 12 connections", normal=("nothing is blocked",)),
    }[source]


def diagnosis(**update: Any) -> Diagnosis:
    """Return a diagnosis of the bad release."""
    return Diagnosis(
        service="checkout",
        verdict="cause_found",
        summary="Release 2.3.1 of checkout is failing.",
        causes=(BAD_RELEASE, SLOW_BANK),
        ruled_out=(RuledOut(what="storefront 1.9.0", why="not on the failing path"),),
        sources=tuple(Source(name=name, status=SourceStatus.OK) for name in PROBES),
        findings=(ERRORS, LINES, DEPLOY),
        onset=START - timedelta(seconds=54),
    ).model_copy(update=update)


ROLLBACK = RenderedPlan(
    summary="Roll checkout back to 2.3.0",
    risk="Orders in flight on 2.3.1 are retried once.",
    steps=(
        PlannedStep(
            id="shift",
            title="Send all traffic to 2.3.0",
            action="haproxy.shift",
            arguments={"backend": "checkout", "candidate_percent": 0},
            undo=PluginCall.model_validate(
                {"action": "haproxy.shift", "with": {"to": "{{ result.before }}"}}
            ),
        ),
        PlannedStep(
            id="note",
            title="Record the rollback",
            action="ledger.record",
            arguments={"version": "2.3.0"},
            no_undo="a record is never taken back",
        ),
    ),
    verify=(
        Check(
            id="rate",
            title="Error rate of checkout",
            probe="prometheus.error_ratio",
            expect="result.value <= 0.02",
            within_s=60,
            hold_s=5,
        ),
    ),
)


class Story:
    """A run's journal, written one event at a time; ``at`` moves with ``wait``."""

    def __init__(
        self, runbook: Runbook = TRIAGE, *, service: str = "checkout", origin: Origin | None = None
    ) -> None:
        self.at = START
        self.events: list[Event] = [
            RunStarted(
                at=START,
                runbook=runbook,
                params={"service": service},
                requested_by=ANA,
                origin=origin or Origin(kind="command", channel="C0INCIDENT"),
            )
        ]

    @property
    def run(self) -> Run:
        return fold("r-7f3a", self.events)

    @property
    def messages(self) -> tuple[DesiredMessage, ...]:
        messages = run_messages(self.run, now=self.at)
        for message in messages:
            assert_valid_message(message)
        return messages

    def read(self, slot: str) -> str:
        """Return the text of one message, with links and buttons."""
        [message] = [m for m in self.messages if m.slot == slot]
        return unescape(
            flatten(message.blocks, names=names_in(self.run) | groups_in(self.run), urls=True, buttons=True)
        )

    def details(self) -> str:
        """Return the text behind *Details*, with links."""
        view = details_modal(self.run)
        assert_valid_view(view)
        return unescape(flatten(view["blocks"], names=names_in(self.run), urls=True))

    def slots(self) -> list[str]:
        return [message.slot for message in self.messages]

    def wait(self, seconds: float) -> Self:
        self.at += timedelta(seconds=seconds)
        return self

    def tell(self, *events: Event) -> Self:
        self.events += events
        return self

    def begin(self, phase: str, *steps: StepRef) -> Self:
        return self.tell(PhaseStarted(at=self.at, phase=phase, steps=steps))

    def end(self, phase: str, outcome: str = "ok", *, why: str = "", output: Model | None = None) -> Self:
        data = None if output is None else output.model_dump(mode="json")
        return self.tell(PhaseFinished(at=self.at, phase=phase, outcome=outcome, why=why, output=data))

    def step(self, phase: str, step: str, result: Model | None = None, **update: Any) -> Self:
        data = None if result is None else result.model_dump(mode="json")
        fields = {"outcome": "ok", "took_s": 0.4} | update
        return self.tell(StepFinished(at=self.at, phase=phase, step=step, result=data, **fields))

    def look(self, phase: str, *, ok: bool | None, text: str, **seen: JsonObject) -> Self:
        return self.wait(2).tell(WatchSampled(at=self.at, phase=phase, ok=ok, text=text, seen=seen))

    def finds_approvers(
        self,
        *,
        groups: dict[str, str] | None = None,
        people: Sequence[Person] = (),
        direct: Sequence[Person] = (),
    ) -> Self:
        """Look up who is asked for the open decision: by default the user group."""
        gate = self.run.waiting_for
        assert gate is not None
        audience = Audience(
            groups={"S0ONCALL01": "oncall"} if groups is None else groups,
            people=tuple(people),
            direct=tuple(direct),
        )
        return self.tell(ApproversFound(at=self.at, approval_id=gate.id, audience=audience))

    # The chapters of a triage, in their order.

    def looks_around(self) -> Self:
        facts = Facts(summary="checkout: owned by payments, stands on payments and bank")
        self.begin("ground", StepRef(id="who", title="Who is it", specialist="catalogue"))
        return self.wait(0.1).step("ground", "who", facts).end("ground")

    def asks(self) -> Self:
        refs = [StepRef(id=i, title=title, specialist=who) for i, (who, title) in PROBES.items()]
        return self.looks_around().begin("evidence", *refs)

    def gathers(self, *, but: Sequence[str] = ()) -> Self:
        self.asks().wait(1.4)
        for name in PROBES:
            if name in but:
                self.step(
                    "evidence",
                    name,
                    outcome="timed_out",
                    error="no answer within 2 s",
                    hint="Check that the source is up.",
                )
            else:
                self.step("evidence", name, found(name))
        return self.end("evidence", "partial" if but else "ok")

    def diagnoses(self, said: Diagnosis | None = None) -> Self:
        return self.gathers().begin("diagnose").end("diagnose", output=said or diagnosis())

    def proposes(
        self, plan: RenderedPlan = ROLLBACK, *, policy: ApprovalPolicy | None = None, expires_s: float = 1800
    ) -> Self:
        self.begin("remedy").tell(PlanRendered(at=self.at, phase="remedy", plan=plan)).end("remedy")
        refs = [StepRef(id=s.id, title=s.title, specialist="traffic") for s in plan.steps]
        refs += [StepRef(id=f"verify:{c.id}", title=c.title, specialist="monitoring") for c in plan.verify]
        self.begin("fix", *refs)
        approval = Approval(
            id="r-7f3a.opaque",
            phase="fix",
            plan_hash=plan.digest,
            policy=policy or ApprovalPolicy(groups=("oncall",)),
            groups=("oncall",),
            requested_by=ANA,
            requested_at=self.at,
            expires_at=self.at + timedelta(seconds=expires_s),
        )
        return self.tell(ApprovalRequested(at=self.at, approval=approval))

    def votes(self, verdict: str = "approve", *, by: Any = BEN, decision: str | None = "approved") -> Self:
        vote = VoteCast(at=self.at, approval_id="r-7f3a.opaque", by=by, verdict=verdict, decision=decision)
        return self.tell(vote)

    def expires(self) -> Self:
        self.wait(1800).tell(ApprovalEnded(at=self.at, approval_id="r-7f3a.opaque", decision="expired"))
        return self.end("fix", "expired", why="nobody decided in time")

    def intends(self, step: str = "shift") -> Self:
        return self.tell(EffectIntended(at=self.at, phase="fix", step=step, key=f"k:{step}", epoch=3))

    def acts(self) -> Self:
        self.wait(8).votes().intends().wait(1)
        self.step("fix", "shift", ActionResult(summary="All traffic goes to 2.3.0"), took_s=0.9)
        return self.intends("note").step("fix", "note", ActionResult(summary="Recorded as change 78"))

    def verifies(self) -> Self:
        self.look("fix", ok=False, text="Error rate of checkout: 4 %")
        self.look("fix", ok=True, text="Error rate of checkout: 0.4 %").wait(5)
        value = Measurement(value=0.002, unit="ratio", at=self.at, text="0.2 %")
        return self.step("fix", "verify:rate", value, took_s=9).end("fix")

    def watches(self, looks: int = 3) -> Self:
        self.begin("watch")
        for _ in range(looks):
            self.wait(13).look("watch", ok=True, text="Error rate: 0.2 %")
        return self

    def undone(self, step: str, outcome: str = "ok", *, said: ActionResult | None = None) -> Self:
        result = said.model_dump(mode="json") if said else None
        return self.tell(StepUndone(at=self.at, phase="fix", step=step, outcome=outcome, result=result))

    def cancelled(self) -> Self:
        return self.tell(CancelRequested(at=self.at, by=BEN))

    def finishes(self, outcome: str, summary: str = "") -> Self:
        return self.tell(RunFinished(at=self.at, outcome=outcome, summary=summary))

    def recovers(self, *, alert_before_s: int | None = None) -> Self:
        """Play the whole run to its end."""
        if alert_before_s is not None:
            since = int((START - timedelta(seconds=alert_before_s)).timestamp())
            self.events[0] = self.events[0].model_copy(
                update={"origin": Origin(kind="button", channel="C0INCIDENT", alert=f"fp-{since}")}
            )
        self.diagnoses().proposes().acts().verifies().watches().end("watch", why="Error rate: 0.2 %")
        return self.finishes("recovered", "Release 2.3.1 of checkout is failing.")
