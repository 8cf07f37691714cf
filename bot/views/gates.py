"""The gates of a service as text: which are closed, why, and what opens them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.deployments.gate import GateResult
from bot.views.limits import escape

_SIGNS = {"proceed": "🟢", "reject": "🔴", "unknown": "🟠"}


def gates_text(
    service: str, version: str, rulings: Sequence[GateResult], *, of_a_version: Sequence[str]
) -> str:
    """Return the closed gates, then the open ones; ``of_a_version`` are gates not asked without a version."""
    shut = sum(not ruling.is_open for ruling in rulings)
    what = f"`{service}`" + (f" {escape(version)}" if version else "")
    closed = f"{shut} of {len(rulings)} gates {'is' if shut == 1 else 'are'} closed"
    head = (
        f"*{what} cannot be deployed now*: {closed}."
        if shut
        else f"*{what} may be deployed now*: all {len(rulings)} gates are open."
    )
    lines = [_line(ruling) for ruling in sorted(rulings, key=lambda ruling: ruling.is_open)]
    if of_a_version:
        rest = " and ".join(f"*{gate}*" for gate in of_a_version)
        lines.append(f"⚪ {rest} apply to one version: `/deploy why {service} <version>`.")
    return "\n".join((head, *lines))


def _line(ruling: GateResult) -> str:
    if ruling.waived_by:
        return f"⚠️ *{ruling.gate}*: {escape(f'{ruling.why} WAIVED: {ruling.waived_by}')}"
    line = f"{_SIGNS[ruling.verdict]} *{ruling.gate}*: {escape(ruling.why)}"
    if ruling.is_open:
        return line
    waivable = (
        "It can be waived in an emergency." if ruling.waivable else "It cannot be waived in an emergency."
    )
    return f"{line}\n      → {escape(ruling.way_out)} {waivable}"
