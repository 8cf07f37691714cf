"""A Slack for the laptop: Web API, Socket Mode, signed HTTP and a page in the browser."""

from __future__ import annotations

from localslack.client import LocalSlackClient
from localslack.core import Rules
from localslack.outcomes import ActOutcome, ControlError, VisibleMessage, WaitTimeoutError
from localslack.server import LocalSlack
from localslack.workspace import Workspace, load_workspace

__version__ = "0.4.0"

__all__ = [
    "ActOutcome",
    "ControlError",
    "LocalSlack",
    "LocalSlackClient",
    "Rules",
    "VisibleMessage",
    "WaitTimeoutError",
    "Workspace",
    "load_workspace",
]
