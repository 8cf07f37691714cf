"""Checks Slack: whether the token is valid and has the scopes that the bot needs."""

from __future__ import annotations

from collections.abc import Collection

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.checkup import CheckupItem, doubtful, good, wrong

_WAY = "Check PILOTHOUSE_SLACK_API_URL, the proxy and outgoing traffic from this network."
_MANIFEST = "Print the manifest with `pilothouse manifest`, update the app with it and reinstall it."


async def check_slack(client: AsyncWebClient, *, scopes: Collection[str]) -> tuple[CheckupItem, ...]:
    """Ask Slack whose token it is, and compare its scopes with ``scopes``; post nothing."""
    try:
        told = await client.auth_test()
    except SlackApiError as error:
        if not isinstance(error.response.data, dict) or "ok" not in error.response.data:
            text = f"the server there is not Slack: it answered {error.response.status_code}"
            return (wrong("slack", text, todo=_WAY),)
        reason = error.response.get("error", "refused")
        todo = "Set PILOTHOUSE_SLACK_BOT_TOKEN to the bot token (xoxb-…) of the installed app."
        return (wrong("slack token", f"Slack answered {reason}", todo=todo),)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return (wrong("slack", f"cannot be reached: {type(error).__name__}", todo=_WAY),)
    who = good("slack token", f"is {told.get('user', '')} in {told.get('team', '')}")
    granted = {name.casefold(): value for name, value in told.headers.items()}.get("x-oauth-scopes")
    if granted is None:
        return (who, doubtful("slack scopes", "Slack did not list them", todo=_MANIFEST))
    missing = sorted(set(scopes) - {scope.strip() for scope in granted.split(",")})
    if missing:
        return (who, wrong("slack scopes", f"missing: {', '.join(missing)}", todo=_MANIFEST))
    return (who, good("slack scopes", f"all {len(scopes)} are granted"))
