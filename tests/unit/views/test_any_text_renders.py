"""With any text from outside, every message is valid, short enough, and mentions no one."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.diagnoses.diagnosis import Diagnosis, RuledOut, Source, SourceStatus
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings
from bot.domain.errors import UsageError
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.event import PlanRendered, StepRef
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.runbook import Check, PluginCall
from bot.views.alert import alert_message
from bot.views.answers import error_text, help_text
from bot.views.home import HomeFacts, home_view
from bot.views.thread.run import run_messages
from tests.unit.views.oracle import assert_harmless, assert_valid_message, assert_valid_view
from tests.unit.views.story import BAD_RELEASE, START, Story

NASTY = (
    "<!channel>", "<!here|here>", "<@U0ANA00001>", "<https://evil.example|click>", "`", "```", "``", "*", "_", "~",
    "&", "&amp;", "&lt;!channel&gt;", "\n", "\t", "\x00", "\x1b[31m", "\u202e", "🟥", "👩‍🚒", "|", ">", "<", "{{ x }}",
    "a" * 400, "&" * 3000, "word " * 4000, "<" * 300, "`x` ",
)  # fmt: skip

texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=12), max_size=8).map("".join)
words = texts.map(lambda text: text or "x")


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    number = st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32)
    return Evidence(
        text=draw(texts),
        query=draw(texts),
        url=draw(texts | texts.map("https://x.example/".__add__)),
        value=draw(number),
        baseline=draw(number),
        unit=draw(texts | st.sampled_from(["ratio", "s", "bytes", "req/s"])),
    )


@st.composite
def findings(draw: st.DrawFn, prefix: str) -> tuple[Finding, ...]:
    """Draw up to 60 findings, made of a few drawn parts."""
    parts = [(draw(texts), draw(evidence())) for _ in range(draw(st.integers(0, 3)))]
    many = draw(st.sampled_from([1, 20])) if parts else 0
    return tuple(
        Finding(
            id=f"{prefix}:{index}:{turn}",
            source=draw(st.sampled_from(["logs", "metrics"])),
            kind=FindingKind.LOG_ERRORS,
            service="checkout",
            summary=summary,
            began_at=START - timedelta(days=index),
            strength=0.5,
            evidence=(proof,),
        )
        for turn in range(many)
        for index, (summary, proof) in enumerate(parts)
    )


@st.composite
def plans(draw: st.DrawFn) -> RenderedPlan:
    undo = PluginCall(action="undo", arguments={"a": draw(texts)})
    steps = tuple(
        PlannedStep(
            id=f"s{index}",
            title=draw(texts) if index < 2 else "more",
            action="act",
            arguments={"text": draw(texts) if index < 2 else "", "many": list(range(50))},
            undo=undo if index % 2 else None,
            no_undo=draw(texts) if index == 0 else "",
        )
        for index in range(draw(st.sampled_from([1, 2, 40])))
    )
    checks = (Check(id="c", title=draw(texts), probe="p", expect=draw(words)[:500], hold_s=3),)
    return RenderedPlan(summary=draw(texts), risk=draw(texts), steps=steps, verify=checks)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story = Story(service=draw(texts))
    requested_by = Person(id=draw(st.sampled_from(["U0ANA00001", "cron"]) | words), name=draw(texts))
    story.events[0] = story.events[0].model_copy(update={"requested_by": requested_by})
    seen = draw(findings("a"))
    refs = [StepRef(id=f"p{i}", title=draw(texts) if i < 3 else "t", specialist="logs") for i in range(40)]
    story.looks_around().begin("evidence", *refs)
    story.step("evidence", "p0", Findings(items=seen, looked_at=draw(texts), gaps=(draw(texts),)))
    story.step("evidence", "p1", outcome="unavailable", error=draw(texts), hint=draw(texts))
    story.step("evidence", "p2", outcome="crashed", error=draw(texts))
    story.end("evidence", "partial", why=draw(texts))
    said = Diagnosis(
        service="checkout",
        verdict=draw(st.sampled_from(["cause_found", "unclear", "no_fault_found"])),
        summary=draw(texts),
        causes=tuple(
            BAD_RELEASE.model_copy(
                update={
                    "summary": draw(texts),
                    "confidence": c,
                    "evidence": (*(f.id for f in seen), draw(texts)),
                }
            )
            for c in (0.9, 0.88, 0.4)
        ),
        ruled_out=tuple(RuledOut(what=draw(texts), why=draw(texts)) for _ in range(2)) * 6,
        sources=(Source(name=draw(texts), status=SourceStatus.TIMED_OUT, why=draw(texts)),),
        findings=seen,
    )
    story.begin("diagnose").end("diagnose", output=said)
    plan = draw(plans())
    story.begin("remedy").tell(PlanRendered(at=story.at, phase="remedy", plan=plan)).end("remedy")
    story.proposes(plan)
    if draw(st.booleans()):
        story.wait(9).votes(by=Person(id="U0BEN00001", name=draw(texts)))
        story.step("fix", "s0", ActionResult(summary=draw(texts))).undone("s0", "failed")
        story.look("fix", ok=None, text=draw(texts))
        story.end("fix", "failed", why=draw(texts)).finishes("failed", draw(texts))
    return story


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(story=stories(), style=st.sampled_from(["classic", "plan"]))
def test_any_run_renders_within_the_limits_and_pings_nobody(story, style):
    run = story.run
    messages = run_messages(run, now=story.at, style=style)
    for message in messages:
        assert_valid_message(message)
    assert messages[0].slot == "root"
    assert len(messages) <= 2 + len(run.runbook.phases)
    assert len({message.slot for message in messages}) == len(messages)
    assert run_messages(run, now=story.at, style=style) == messages


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=texts,
    other=texts,
    status=st.sampled_from(["firing", "resolved"]),
    known=st.booleans(),
    labels=st.dictionaries(texts, texts, max_size=12),
    said=st.fixed_dictionaries(
        {
            "unknown": st.booleans(),
            "flapping": st.booleans(),
            "silenced_until": st.sampled_from([None, START, START + timedelta(seconds=1)]),
        }
    ),
)
def test_any_alert_renders_within_the_limits_and_pings_nobody(text, other, status, known, labels, *, said):
    alert = Alert(
        fingerprint="f",
        name=text,
        service=other,
        severity=text,
        summary=other,
        description=text,
        status=status,
        starts_at=START,
        ends_at=START + timedelta(seconds=90),
        labels=labels,
        source=other,
        url=text,
        times=3,
        value=text,
        acknowledged_by=Person(id=text, name=other),
        acknowledged_at=START,
        silenced_by=Person(id=other, name=text),
        **said,
    )
    assert_valid_message(alert_message(alert, known_service=known, now=START))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories(), service=words)
def test_any_home_and_answer_is_valid_and_pings_nobody(story, service):
    facts = HomeFacts(now=START, runs=[story.run] * 15, waiting=[story.run] * 2, services=[service] * 50)
    assert_valid_view(home_view(facts))
    assert_harmless(error_text(UsageError(service, hint=service)))
    assert_harmless(help_text([(service, service)] * 30))
