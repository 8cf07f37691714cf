"""users.* and usergroups.*: people and the groups they are in."""

from __future__ import annotations

from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.webapi.call import ApiCall, Method
from localslack.workspace import UsergroupSpec


def list_(call: ApiCall) -> Json:
    """Return all users, including deactivated people and bots."""
    users = [call.core.shown.user(user) for user in call.core.store.users.values()]
    return call.page(users, "members") | {"cache_ts": int(call.core.clock.now())}


def info(call: ApiCall) -> Json:
    """Return one person."""
    return {"ok": True, "user": call.core.shown.user(call.user())}


def lookup_by_email(call: ApiCall) -> Json:
    """Return the person with an e-mail address."""
    email = call.text("email")
    for user in call.core.store.users.values():
        if user.email == email and not user.deleted:
            return {"ok": True, "user": call.core.shown.user(user)}
    raise SlackError("users_not_found")


def groups(call: ApiCall) -> Json:
    """Return every user group."""
    found = [
        _shown(call, group, with_users=call.flag("include_users"))
        for group in call.core.store.usergroups.values()
    ]
    return {"ok": True, "usergroups": found}


def _shown(call: ApiCall, group: UsergroupSpec, *, with_users: bool) -> Json:
    made: Json = {
        "id": group.id,
        "team_id": call.core.workspace.id,
        "is_usergroup": True,
        "name": group.name or group.handle,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_delete": 0,
        "user_count": len(group.members),
    }
    return made | ({"users": list(group.members)} if with_users else {})


def group_users(call: ApiCall) -> Json:
    """Return who is in a user group."""
    group = call.core.store.usergroups.get(call.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"ok": True, "users": list(group.members)}


METHODS: dict[str, Method] = {
    "users.list": list_,
    "users.info": info,
    "users.lookupByEmail": lookup_by_email,
    "usergroups.list": groups,
    "usergroups.users.list": group_users,
}
