"""The gates of a service as text: which are closed, why, and what opens them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.deployments.asker import DeployAsker
from bot.domain.deployments.gate import GateResult
from bot.domain.formatting import listed
from bot.views.limits import escape

_SIGNS = {"proceed": "🟢", "reject": "🔴", "unknown": "🟠"}


def gates_text(
    service: str,
    version: str,
    rulings: Sequence[GateResult],
    *,
    of_a_version: Sequence[str],
    asker: DeployAsker,
) -> str:
    """Return the closed gates, then the open ones, and who must approve a deployment by ``asker``.

    ``of_a_version`` are gates that are not asked without a version.
    """
    shut = sum(not ruling.is_open for ruling in rulings)
    what = f"`{service}`" + (f" {escape(version)}" if version else "")
    closed = f"{shut} of {len(rulings)} gates {'is' if shut == 1 else 'are'} closed"
    if asker.why_not:
        head = f"*You cannot deploy {what}*: {escape(asker.why_not)}. Ask a member of the workspace."
    elif shut:
        head = f"*{what} cannot be deployed now*: {closed}."
    else:
        head = f"*You may deploy {what} now*: all {len(rulings)} gates are open."
    lines = [_line(ruling) for ruling in sorted(rulings, key=lambda ruling: ruling.is_open)]
    if of_a_version:
        rest = " and ".join(f"*{gate}*" for gate in of_a_version)
        lines.append(f"⚪ {rest} apply to one version: `/deploy why {service} <version>`.")
    if not asker.why_not:
        lines.append(f"👤 {_approval(asker)}")
    return "\n".join((head, *lines))


def _approval(asker: DeployAsker) -> str:
    """Return who must approve what the asker deploys."""
    groups = listed([f"`@{escape(group)}`" for group in asker.approvers], last="or")
    if asker.groups:
        return f"Another member of {groups} must approve it: you cannot approve your own deployment."
    return f"A member of {groups} must approve it; you are not one."


def _line(ruling: GateResult) -> str:
    if ruling.waived_by:
        return f"⚠️ *{ruling.gate}*: {escape(f'{ruling.why} WAIVED: {ruling.waived_by}')}"
    line = f"{_SIGNS[ruling.verdict]} *{ruling.gate}*: {escape(ruling.why)}"
    if ruling.is_open:
        return line
    waivable = (
        "It can be waived in an emergency." if ruling.waivable else "It cannot be waived in an emergency."
    )
    link = f" <{ruling.link}|Open the message>" if ruling.link else ""
    return f"{line}\n      → {escape(ruling.way_out)} {waivable}{link}"
