"""Whoever approves an emergency reads first, in red, who declared it, why, and what it bypasses."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Facts
from tests.support.worlds import ANA
from tests.unit.views.story import Story

ASK = "ask:r-7f3a.opaque"
FREEZE = "The freeze `night` is in force (22:00 to 06:00, UTC): we sleep. It ends Wed 2026-03-04 06:00 UTC."


def asked(emergency: object = "orders are lost <!here>", *gates: dict[str, object]) -> Story:
    story = Story()
    params = {"service": "checkout", "emergency": emergency}
    story.events[0] = story.events[0].model_copy(update={"params": params})
    found = Facts(summary="gates", data={"gates": list(gates)})
    return story.diagnoses().step("ground", "gates", found).proposes().finds_approvers()


def gate(name: str, why: str, waived_by: str = "") -> dict[str, object]:
    return {"gate": name, "verdict": "reject", "code": "x", "why": why, "waived_by": waived_by}


def test_the_first_line_is_red_with_the_person_the_reason_and_what_it_bypasses():
    story = asked(
        "orders are lost <!here>",
        gate("freeze", FREEZE, "emergency: orders are lost"),
        gate("error_budget", "98 % of the error budget is spent", "emergency: orders are lost"),
        gate("lock", "It is not locked."),
    )
    lines = story.read(ASK).split("\n")
    assert lines[0] == "🔴 EMERGENCY, declared by Ana: “orders are lost <!here>”"
    assert lines[1].startswith("Bypasses the freeze gate: The freeze `night` is in force")
    assert lines[2] == "Bypasses the error budget gate: 98 % of the error budget is spent."
    assert lines[3].startswith("🟡 Approval needed:")
    [message] = [message for message in story.messages if message.slot == ASK]
    assert f"*EMERGENCY*, declared by <@{ANA.id}>" in str(message.blocks[0])
    root = story.read("root").split("\n")
    assert root[1:4] == lines[:3]


def test_without_an_emergency_nothing_is_red_and_what_people_waived_is_shown():
    story = asked("", gate("checklist", "1 item is missing", "legal by Ben, for others' deployments: late"))
    read = story.read(ASK)
    assert "EMERGENCY" not in read + story.read("root")
    assert "🚨 WAIVED (legal by Ben, for others' deployments: late): 1 item is missing." in read


def test_an_odd_emergency_is_none():
    for odd in (None, True, 7, "  "):
        assert "EMERGENCY" not in asked(odd).read(ASK)


def test_an_emergency_that_bypasses_nothing_claims_nothing():
    assert "Bypasses" not in asked("orders are lost", gate("lock", "It is not locked.")).read(ASK)
