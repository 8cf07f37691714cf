"""A client of the control API, for tests and scripts that act as people."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx

from localslack.outcomes import ActOutcome, VisibleMessage, checked, outcome, seen
from localslack.shapes import Json

ACT_TIMEOUT_S = 30.0
SLACK_S = 5.0


class LocalSlackClient:
    """Acts as people and reads what they see. People and channels go by id or name."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=base_url.rstrip("/"), timeout=ACT_TIMEOUT_S, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # Acts

    async def post(
        self, text: str, *, user: str, channel: str, thread_ts: str | None = None
    ) -> VisibleMessage:
        """Post a message."""
        answer = await self._post("acts/post", user=user, channel=channel, text=text, thread_ts=thread_ts)
        return seen(answer["message"])

    async def mention(
        self, text: str, *, user: str, channel: str, thread_ts: str | None = None, app: str | None = None
    ) -> VisibleMessage:
        """Post a message that begins with a mention of an app (the first one unless named)."""
        apps = (await self._get("state", user=user))["apps"]
        wanted = next(a for a in apps if app is None or app in {a["id"], a["name"], a["display_name"]})
        return await self.post(
            f"<@{wanted['bot_user']}> {text}", user=user, channel=channel, thread_ts=thread_ts
        )

    async def slash(
        self, command: str, text: str = "", *, user: str, channel: str, thread_ts: str | None = None
    ) -> ActOutcome:
        """Type a slash command; ``"/triage checkout"`` and ``"/triage", "checkout"`` are the same."""
        name, _, rest = command.partition(" ")
        said = f"{rest} {text}".strip()
        answer = await self._post(
            "acts/slash", user=user, channel=channel, command=name, text=said, thread_ts=thread_ts
        )
        return outcome(answer)

    async def click(
        self,
        *,
        user: str,
        channel: str | None = None,
        ts: str | None = None,
        action_id: str | None = None,
        text: str | None = None,
        block_id: str | None = None,
        value: Any = None,  # noqa: ANN401  # an option's value, a list of them, an id, a date
        view_id: str | None = None,
        home_of: str | None = None,
    ) -> ActOutcome:
        """Click a button or choose in a menu, by action id or by the words on it.

        In a message (``channel`` and ``ts``), on an app's Home tab (``home_of``), else in a modal.
        """
        answer = await self._post(
            "acts/click",
            user=user,
            channel=channel,
            ts=ts,
            action_id=action_id,
            text=text,
            block_id=block_id,
            value=value,
            view_id=view_id,
            home_of=home_of,
        )
        return outcome(answer)

    async def shortcut(
        self, shortcut: str, *, user: str, channel: str | None = None, ts: str | None = None
    ) -> ActOutcome:
        """Use a shortcut by callback id or name: a message's with ``channel`` and ``ts``, else global."""
        return outcome(
            await self._post("acts/shortcut", user=user, shortcut=shortcut, channel=channel, ts=ts)
        )

    async def open_home(self, *, user: str, app: str | None = None) -> Json | None:
        """Open an app's Home tab; return the view published so far."""
        found: Json | None = (await self._post("acts/home", user=user, app=app))["view"]
        return found

    async def submit(
        self, values: Json | None = None, *, user: str, view_id: str | None = None
    ) -> ActOutcome:
        """Fill and submit the topmost modal; ``json["errors"]`` holds the errors shown."""
        return outcome(await self._post("acts/submit", user=user, view_id=view_id, values=values or {}))

    async def close(self, *, user: str, view_id: str | None = None, whole_stack: bool = False) -> None:
        """Close the topmost modal, or all of them."""
        await self._post("acts/close", user=user, view_id=view_id, whole_stack=whole_stack)

    async def react(self, name: str, *, user: str, channel: str, ts: str, remove: bool = False) -> bool:
        """Add or remove a reaction; return whether that changed anything."""
        answer = await self._post("acts/react", user=user, channel=channel, ts=ts, name=name, remove=remove)
        return bool(answer["changed"])

    async def upload(
        self,
        content: bytes,
        *,
        name: str,
        user: str,
        channel: str,
        text: str = "",
        thread_ts: str | None = None,
    ) -> VisibleMessage:
        """Share a file."""
        answer = await self._post(
            "acts/upload",
            user=user,
            channel=channel,
            name=name,
            content_base64=base64.b64encode(content).decode(),
            text=text,
            thread_ts=thread_ts,
        )
        return seen(answer["message"])

    async def join(self, *, user: str, channel: str) -> bool:
        """Join a public channel; return False when already in it."""
        return bool((await self._post("acts/join", user=user, channel=channel))["changed"])

    # Reads

    async def channels(self, *, user: str) -> list[Json]:
        """Return the channels that a user can see."""
        return list((await self._get("channels", user=user))["channels"])

    async def messages(
        self, channel: str, *, user: str | None = None, thread_ts: str | None = None
    ) -> list[VisibleMessage]:
        """Return what a channel or thread shows, oldest first; with ``user`` that person's ephemerals too."""
        name = channel.removeprefix("#")
        path = f"threads/{name}/{thread_ts}" if thread_ts else f"channels/{name}/messages"
        return [seen(m) for m in (await self._get(path, user=user))["messages"]]

    async def message(self, channel: str, ts: str) -> VisibleMessage:
        """Return one message."""
        return seen((await self._get(f"messages/{channel.removeprefix('#')}/{ts}"))["message"])

    async def thread_text(self, channel: str, ts: str, *, user: str | None = None) -> str:
        """Return a thread as plain text."""
        path = f"/control/threads/{channel.removeprefix('#')}/{ts}.txt"
        response = await self._http.get(path, params={"user": user} if user else {})
        checked(response)
        return response.text

    async def wait(
        self,
        text: str = "",
        *,
        channel: str,
        thread_ts: str | None = None,
        user: str | None = None,
        after: str | None = None,
        timeout_s: float = 10.0,
    ) -> VisibleMessage:
        """Return the first message that matches ``text`` (a regular expression, case ignored), now or soon.

        ``after`` is a timestamp: only later messages count. With ``user`` that person's ephemerals count too.

        Raises:
            WaitTimeoutError: none within ``timeout_s``.
        """
        query = {"channel": channel, "text": text, "thread_ts": thread_ts, "user": user, "after": after}
        params = {key: value for key, value in query.items() if value is not None}
        response = await self._http.get(
            "/control/wait", params={**params, "timeout_s": timeout_s}, timeout=timeout_s + SLACK_S
        )
        return seen(checked(response)["message"])

    async def views(self, *, user: str) -> list[Json]:
        """Return the modals that a user has open, the lowest first."""
        return list((await self._get("views", user=user))["views"])

    async def home(self, *, user: str, app: str | None = None) -> Json | None:
        """Return an app's Home tab as published, without opening it."""
        found: Json | None = (await self._get("home", user=user, app=app))["view"]
        return found

    async def files(self) -> list[Json]:
        """Return every file."""
        return list((await self._get("files"))["files"])

    async def stats(self) -> Json:
        """Return calls, posts, edits, 429s, envelopes and acknowledgement latencies (milliseconds)."""
        return await self._get("stats")

    async def notifications(self, *, user: str | None = None) -> list[Json]:
        """Return whom Slack would have notified, of which message and why; newest last.

        ``why`` is ``direct``, ``mention``, ``group``, ``channel`` or ``thread``.
        """
        return list((await self._get("notifications", user=user))["notifications"])

    async def log(self) -> list[Json]:
        """Return the last 500 calls and envelopes."""
        return list((await self._get("log"))["entries"])

    # Switches

    async def faults(self, **switches: Any) -> Json:  # noqa: ANN401  # see localslack.faults.Faults
        """Set some fault switches; return all of them."""
        return dict((await self._post("faults", **switches))["faults"])

    async def clear_faults(self) -> None:
        """Switch every fault off."""
        checked(await self._http.delete("/control/faults"))

    @asynccontextmanager
    async def faulty(self, **switches: Any) -> AsyncIterator[None]:  # noqa: ANN401  # see Faults
        """Turn faults on for the length of a block; every fault is off after it."""
        await self.faults(**switches)
        try:
            yield
        finally:
            await self.clear_faults()

    async def refresh_sockets(self, *, app: str | None = None) -> int:
        """Make Slack close an app's sockets, as it does now and then; return how many there were."""
        return int((await self._post("sockets/refresh", app=app))["refreshed"])

    async def change_group(
        self, group: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> list[str]:
        """Add people to a user group or remove them; return the ids of its members."""
        path = f"usergroups/{group.removeprefix('@')}/members"
        return list((await self._post(path, add=list(add), remove=list(remove)))["members"])

    async def deactivate(self, user: str, *, deleted: bool = True) -> None:
        """Deactivate a user, or reactivate them."""
        await self._post(f"users/{user}", deleted=deleted)

    async def install(self, manifest: Json, *, app: str | None = None) -> bool:
        """Replace an app's manifest; return whether its events URL, if any, answered the challenge."""
        response = await self._http.put("/control/manifest", json={"manifest": manifest, "app": app})
        return bool(checked(response)["verified"])

    async def reset(self) -> None:
        """Forget every message, view, file, switch and count."""
        await self._post("reset")

    async def _post(self, path: str, **body: Any) -> Json:  # noqa: ANN401  # any JSON
        return checked(await self._http.post(f"/control/{path}", json=body))

    async def _get(self, path: str, **query: str | None) -> Json:
        params = {key: value for key, value in query.items() if value is not None}
        return checked(await self._http.get(f"/control/{path}", params=params))
