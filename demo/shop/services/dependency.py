"""Calls to other services: timed, counted, traced, and failing in one way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.shop.services.journal import describe, trace_id
from demo.shop.services.metrics import Metrics

answered_by: ContextVar[dict[str, str]] = ContextVar("answered_by", default={})  # noqa: B039  # never changed in place
"""Which version and server of which other services had a part in the request at hand, as headers."""


class DependencyError(Exception):
    """A call failed; ``status`` is an HTTP status, ``timeout`` or ``unreachable``."""

    def __init__(self, dependency: str, *, status: str, detail: str) -> None:
        super().__init__(f"{dependency} {detail}")
        self.dependency = dependency
        self.status = status
        self.detail = detail

    @property
    def timed_out(self) -> bool:
        """Whether no answer came in time."""
        return self.status == "timeout"


class Dependency:
    """One other service as this one sees it."""

    def __init__(self, name: str, url: str, *, session: ClientSession, metrics: Metrics) -> None:
        self.name = name
        self.url = url
        self._session = session
        self._metrics = metrics
        metrics.expect_dependency(name)

    async def post(self, path: str, body: dict[str, Any], *, timeout_s: float) -> tuple[int, dict[str, Any]]:
        """Send ``body`` and return the status (below 500) and the answer.

        Raises:
            DependencyError: no answer within ``timeout_s`` seconds, no connection, or a 5xx answer.
        """
        return await self._call("POST", path, body, timeout_s)

    async def get(self, path: str, *, timeout_s: float) -> tuple[int, dict[str, Any]]:
        """Ask for ``path``; returns and raises as ``post`` does."""
        return await self._call("GET", path, None, timeout_s)

    async def check(self, *, timeout_s: float = 1.0) -> dict[str, Any]:
        """Look at its ``/healthz`` without counting the call; never raises.

        Returns:
            ``ok``, ``ms`` and, when not well, ``error``.
        """
        started = time.perf_counter()
        error = ""
        try:
            async with self._session.get(
                f"{self.url}/healthz", timeout=ClientTimeout(total=timeout_s)
            ) as answer:
                if answer.status >= 400:  # noqa: PLR2004  # HTTP's own line between good and bad
                    error = f"answered {answer.status}"
        except TimeoutError:
            error = f"no answer within {timeout_s:g} s"
        except ClientError as trouble:
            error = describe(trouble)
        took_ms = round((time.perf_counter() - started) * 1000, 1)
        return {"ok": not error, "ms": took_ms, **({"error": error} if error else {})}

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None, timeout_s: float
    ) -> tuple[int, dict[str, Any]]:
        started = time.perf_counter()
        status = "unreachable"
        headers = {"traceparent": f"00-{trace_id.get() or '0' * 32}-{'0' * 15}1-01"}
        try:
            async with asyncio.timeout(timeout_s):
                async with self._session.request(
                    method, self.url + path, json=body, headers=headers
                ) as answer:
                    status = str(answer.status)
                    self._note(answer.headers)
                    content = await answer.json(content_type=None)
        except TimeoutError:
            status = "timeout"
            detail = f"did not answer within {timeout_s * 1000:.0f} ms"
            raise DependencyError(self.name, status=status, detail=detail) from None
        except (ClientError, ValueError) as error:
            raise DependencyError(self.name, status=status, detail=describe(error)) from error
        finally:
            self._metrics.called(self.name, status=status, seconds=time.perf_counter() - started)
        if int(status) >= 500:  # noqa: PLR2004  # HTTP's own line between the caller's fault and theirs
            reason = content.get("error", "") if isinstance(content, dict) else ""
            raise DependencyError(self.name, status=status, detail=f"answered {status}: {reason}")
        return int(status), content

    def _note(self, headers: Mapping[str, str]) -> None:
        who = {"Version": headers.get("X-Service-Version", ""), "Server": headers.get("X-Served-By", "")}
        told = {f"X-{self.name.title()}-{what}": text for what, text in who.items() if text}
        answered_by.set({**answered_by.get(), **told})
