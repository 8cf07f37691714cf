"""The control API: HTTP for tests, scripts and the page, to act as people and to see what they see."""

from __future__ import annotations

from localslack.control import acts, reads, switches
from localslack.control.route import Route

ROUTES: tuple[Route, ...] = (*acts.ROUTES, *reads.ROUTES, *switches.ROUTES)
