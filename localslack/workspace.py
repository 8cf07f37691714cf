"""A workspace described in a file: people, channels, groups and apps."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from localslack.shapes import Json

DEFAULT_FILE = Path(__file__).with_name("default_workspace.yaml")

UserId = Field(pattern=r"^[UW][A-Z0-9]{8,10}$")
ChannelId = Field(pattern=r"^[CDG][A-Z0-9]{8,10}$")


class WorkspaceModel(BaseModel):
    """Frozen and closed: a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class UserSpec(WorkspaceModel):
    """One person. ``team`` names another workspace for people who come in over Slack Connect."""

    id: str = UserId
    name: str
    real_name: str
    title: str = ""
    email: str = ""
    color: str = Field(default="4a6fa5", pattern=r"^[0-9a-fA-F]{6}$")
    tz: str = "Europe/Lisbon"
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    is_bot: bool = False
    team: str | None = Field(default=None, pattern=r"^T[A-Z0-9]{8,10}$")


class ChannelSpec(WorkspaceModel):
    """One channel; ``members`` are ids or names of users, and ids of apps' bot users."""

    id: str = ChannelId
    name: str = Field(pattern=r"^[a-z0-9_-]{1,80}$")
    topic: str = Field(default="", max_length=250)
    purpose: str = Field(default="", max_length=250)
    members: tuple[str, ...] = ()
    is_private: bool = False


class UsergroupSpec(WorkspaceModel):
    """A user group such as ``@oncall``."""

    id: str = Field(pattern=r"^S[A-Z0-9]{8,10}$")
    handle: str
    name: str = ""
    members: tuple[str, ...] = ()


class AppSpec(WorkspaceModel):
    """An installed app. Tokens and the signing secret are derived from the id unless they are given."""

    id: str = Field(default="A0APP00001", pattern=r"^A[A-Z0-9]{8,10}$")
    name: str = "app"
    bot_user: str = Field(default="U0APP00001", pattern=r"^U[A-Z0-9]{8,10}$")
    bot_id: str = Field(default="B0APP00001", pattern=r"^B[A-Z0-9]{8,10}$")
    color: str = Field(default="2a7d5f", pattern=r"^[0-9a-fA-F]{6}$")
    bot_token: str = ""
    app_token: str = ""
    signing_secret: str = ""
    events_url: str = ""
    manifest: Json = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, data: Any) -> Any:  # noqa: ANN401  # pydantic hands over whatever was given
        if not isinstance(data, dict):
            return data
        app_id = data.get("id", cls.model_fields["id"].default)
        seed = hashlib.sha256(f"localslack:{app_id}".encode()).hexdigest()
        derived = {
            "bot_token": f"xoxb-{int(seed[:10], 16):012d}-{seed[10:34]}",
            "app_token": f"xapp-1-{app_id}-{seed[10:46]}",
            "signing_secret": seed[32:64],
        }
        return {**data, **{key: value for key, value in derived.items() if not data.get(key)}}


class Workspace(WorkspaceModel):
    """A whole workspace, as a YAML file describes it."""

    id: str = Field(default="T0LOCAL001", pattern=r"^T[A-Z0-9]{8,10}$")
    name: str = "Local"
    domain: str = "local"
    users: tuple[UserSpec, ...] = Field(min_length=1)
    channels: tuple[ChannelSpec, ...] = Field(min_length=1)
    usergroups: tuple[UsergroupSpec, ...] = ()
    apps: tuple[AppSpec, ...] = Field(default=(AppSpec(),), min_length=1)

    @model_validator(mode="after")
    def _unique_and_known(self) -> Workspace:
        for kind, keys in (
            ("user id", [u.id for u in self.users] + [a.bot_user for a in self.apps]),
            ("user name", [u.name for u in self.users]),
            ("channel id", [c.id for c in self.channels]),
            ("channel name", [c.name for c in self.channels]),
            ("usergroup handle", [g.handle for g in self.usergroups]),
            ("app id", [a.id for a in self.apps]),
        ):
            doubled = {key for key in keys if keys.count(key) > 1}
            if doubled:
                raise ValueError(f"duplicate {kind}: {', '.join(sorted(doubled))}")
        for owner, members in [(c.name, c.members) for c in self.channels] + [
            (g.handle, g.members) for g in self.usergroups
        ]:
            for member in members:
                if self.member_id(member) is None:
                    raise ValueError(f"{owner}: unknown member: {member}")
        return self

    def member_id(self, key: str) -> str | None:
        """Return the user id behind an id, a user name or an app's name; None when it is unknown."""
        for user in self.users:
            if key in {user.id, user.name}:
                return user.id
        for app in self.apps:
            if key in {app.bot_user, app.name, app.id}:
                return app.bot_user
        return None

    def with_app(
        self,
        *,
        name: str | None = None,
        manifest: Json | None = None,
        events_url: str = "",
        signing_secret: str = "",
    ) -> Workspace:
        """Return the same workspace with its first app changed; what is None or empty stays.

        An app that was never named takes its name from the manifest, in lower case.
        """
        first = self.apps[0]
        named = (manifest or {}).get("display_information") or {}
        if name is None and first.name == AppSpec().name and isinstance(named.get("name"), str):
            name = re.sub(r"[^a-z0-9]+", "-", named["name"].lower()).strip("-")
        changed = first.model_copy(
            update={
                "name": name or first.name,
                "manifest": first.manifest if manifest is None else manifest,
                "events_url": events_url or first.events_url,
                "signing_secret": signing_secret or first.signing_secret,
            }
        )
        return self.model_copy(update={"apps": (changed, *self.apps[1:])})


def load_workspace(path: Path | None = None) -> Workspace:
    """Read a workspace file; the shipped one when ``path`` is None.

    An app's ``manifest`` may be a path, relative to the file, to a JSON or YAML manifest.

    Raises:
        ValueError: the file does not describe a valid workspace (pydantic's error shows where).
        OSError: a file cannot be read.
    """
    source = path or DEFAULT_FILE
    raw = yaml.safe_load(source.read_text(encoding="utf-8"))
    if not isinstance(raw, dict):
        raise ValueError(f"{source.name}: a workspace file must be a mapping")  # noqa: TRY004  # bad content, not bad use
    for app in raw.get("apps") or []:
        if isinstance(app, dict) and isinstance(app.get("manifest"), str):
            app["manifest"] = load_manifest(source.parent / app["manifest"])
    return Workspace.model_validate(raw)


def load_manifest(path: Path) -> Json:
    """Read an app manifest, JSON or YAML.

    Raises:
        ValueError: it is neither, or not a mapping.
    """
    text = path.read_text(encoding="utf-8")
    raw = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    if not isinstance(raw, dict):
        raise ValueError(f"{path.name}: a manifest must be a mapping")  # noqa: TRY004  # bad content, not bad use
    return raw
