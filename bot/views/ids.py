"""The names that buttons, modals and shortcuts carry; handlers listen for exactly these."""

from __future__ import annotations

APPROVE = "approval_approve"
"""Button; value = the approval's id."""
REJECT = "approval_reject"
"""Button; value = the approval's id."""
TRIAGE = "alert_triage"
"""Button on an alert; value = the alert's id."""
ACKNOWLEDGE = "alert_acknowledge"
"""Button on an alert; value = the alert's id."""
SILENCE = "alert_silence"
"""Button on an alert; value = the alert's id: nothing new of its fingerprint for an hour."""
TRIAGE_AGAIN = "run_triage_again"
"""Button on a finished run; value = the run's id: the same runbook with the same parameters."""
CANCEL_RUN = "run_cancel"
"""Button on an unfinished run; value = the run's id."""

PICK_SERVICE = "pick_service"
"""Callback of the modal that asks which service is meant."""
SERVICE_BLOCK = "service"
SERVICE_INPUT = "service_name"
SINCE_BLOCK = "since"
SINCE_INPUT = "since_duration"

TRIAGE_MESSAGE = "triage_message"
"""Callback of the message shortcut."""
