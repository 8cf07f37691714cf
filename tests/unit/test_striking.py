"""How long a canary goes on after its bot was hit is read from what clients saw, and must be short."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest

from demo.scenarios.deploying import unnoticed
from demo.scenarios.scenarios import scenario
from demo.scenarios.striking import signal_of, silent_after

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def load(last_at: str | None) -> dict[str, object]:
    return {"by_version": {"1.5.0": {"answered": 1, "last_at": last_at}}}


@pytest.mark.parametrize(
    ("last_at", "silent_s"),
    [("2026-03-01T12:00:00.750Z", 0.75), ("2026-03-01T11:59:59Z", 0.0), (None, 0.0)],
)
def test_a_canary_is_silent_from_its_last_answer_on(last_at, silent_s):
    assert silent_after(load(last_at), "1.5.0", moment=AT) == silent_s


def test_a_version_that_nobody_asked_was_silent_all_the_while():
    assert silent_after({"by_version": {}}, "1.5.0", moment=AT) == 0


@pytest.mark.parametrize(
    ("name", "silent_s", "failed", "is_right"),
    [
        ("canary-killed", 1.4, 0, True),
        ("canary-killed", 1.6, 0, False),
        ("canary-killed", 1.4, 1, False),
        ("canary-stopped", 2.4, 0, True),
        ("canary-stopped", None, 0, False),
        ("canary-good", None, 3, True),
    ],
)
def test_a_bot_that_was_hit_must_leave_its_canary_in_time_and_no_client_may_notice(
    name, silent_s, failed, is_right
):
    assert unnoticed(scenario(name), silent_s=silent_s, failed=failed) is is_right


def test_killed_is_kill_9_and_stopped_is_a_process_that_hangs():
    assert (signal_of("killed"), signal_of("stopped")) == (signal.SIGKILL, signal.SIGSTOP)
