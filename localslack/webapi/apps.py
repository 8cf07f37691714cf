"""api.test, auth.test, apps.connections.open, team.info and bots.info."""

from __future__ import annotations

import secrets

from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.webapi.call import ApiCall, Method


def api_test(call: ApiCall) -> Json:
    """Return what was sent; with ``error``, refuse with it."""
    args = {key: value for key, value in call.args.items() if key != "token"}
    error = call.maybe("error")
    if error:
        raise SlackError(error, args=args)
    return {"ok": True, "args": args}


def auth_test(call: ApiCall) -> Json:
    """Return whose token it is."""
    return {
        "ok": True,
        "url": f"{call.core.shown.url}/",
        "team": call.core.workspace.name,
        "user": call.core.store.users[call.bot].name,
        "team_id": call.core.workspace.id,
        "user_id": call.bot,
        "bot_id": call.app.spec.bot_id,
        "is_enterprise_install": False,
    }


def open_connection(call: ApiCall) -> Json:
    """Return where to open a Socket Mode socket."""
    if call.app.manifest.socket_mode is False:
        raise SlackError("socket_mode_not_enabled")
    base = call.core.shown.url.replace("http://", "ws://", 1)
    return {"ok": True, "url": f"{base}/link/{call.app.spec.id}?ticket={secrets.token_hex(8)}"}


def team_info(call: ApiCall) -> Json:
    """Return the workspace."""
    workspace = call.core.workspace
    return {
        "ok": True,
        "team": {
            "id": workspace.id,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": "",
            "icon": {},
        },
    }


def bots_info(call: ApiCall) -> Json:
    """Return a bot."""
    wanted = call.maybe("bot") or call.app.spec.bot_id
    for app in call.core.apps.values():
        if wanted == app.spec.bot_id:
            return {
                "ok": True,
                "bot": {
                    "id": app.spec.bot_id,
                    "deleted": False,
                    "name": app.spec.name,
                    "updated": 0,
                    "app_id": app.spec.id,
                    "user_id": app.spec.bot_user,
                    "icons": {},
                },
            }
    raise SlackError("bot_not_found")


METHODS: dict[str, Method] = {
    "api.test": api_test,
    "auth.test": auth_test,
    "apps.connections.open": open_connection,
    "team.info": team_info,
    "bots.info": bots_info,
}
