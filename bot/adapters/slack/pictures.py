"""Uploads charts to Slack, for messages to show: a file is invisible until its message is posted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from html import escape

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.failures import SLACK_ERRORS, SlackFailure, ThrottledLogger, slack_failure_of
from bot.adapters.slack.pace import Allowance
from bot.domain.board import DesiredMessage
from bot.domain.chart import Chart
from bot.domain.model import JsonObject

log = logging.getLogger(__name__)

Paint = Callable[[Chart], Awaitable[bytes]]
"""Draws a chart as a PNG."""

_TITLE_CHARS = 1_900
_FIRST_S = 0.5
_MOST_TRIES = 6
_REMEMBERED = 500
_INSTEAD = "The chart could not be shown as a picture. What it shows:"
_ALT_CHARS = 600


class Pictures:
    """Uploads without sharing, so that only the post of the message must not happen twice.

    Slack checks a picture before blocks may show it, which takes about a second; until then it refuses the
    blocks.
    """

    def __init__(
        self, client: AsyncWebClient, paint: Paint, allowance: Allowance, *, loud: ThrottledLogger
    ) -> None:
        """Use ``client``, which must never retry on its own."""
        self._client = client
        self._paint = paint
        self._allowance = allowance
        self._loud = loud
        self._tries: Counter[str] = Counter()
        self._hopeless: dict[str, None] = {}

    def is_hopeless(self, chart: Chart) -> bool:
        """Return whether this process has given up showing a chart as a picture."""
        return chart.digest in self._hopeless

    async def upload(self, chart: Chart) -> str | float:
        """Upload a chart; return the file's id, empty if that is hopeless, or the seconds until a retry."""
        if self.is_hopeless(chart):
            return ""
        if wait := await self._allowance.upload():
            return wait
        try:
            png = await self._paint(chart)
        except Exception:  # a picture that cannot be drawn must not hold back the rest of its thread
            log.exception("chart_not_drawn", extra={"chart": chart.digest})
            self._give_up(chart)
            return ""
        try:
            return await self._uploaded(chart, png)
        except SLACK_ERRORS as error:
            trouble = slack_failure_of(error)
        if trouble.kind == "limited":
            self._allowance.pause_uploads(trouble.retry_s)
            return trouble.retry_s
        return self._failed(chart, trouble, for_good=trouble.kind == "refused") or ""

    def failed(self, message: DesiredMessage, trouble: SlackFailure) -> float:
        """Record that the picture of a message was refused; return the seconds until the next try."""
        return 0 if message.chart is None else self._failed(message.chart, trouble, for_good=False)

    async def _uploaded(self, chart: Chart, png: bytes) -> str:
        name = f"chart-{chart.digest}.png"
        place = await self._client.files_getUploadURLExternal(
            filename=name, length=len(png), alt_txt=chart.alt
        )
        await self._send(str(place["upload_url"]), png)
        file = str(place["file_id"])
        await self._client.files_completeUploadExternal(files=[{"id": file, "title": chart.title}])
        return file

    async def _send(self, url: str, png: bytes) -> None:
        """Send the bytes to Slack's upload address, which is not a method of the Web API.

        Raises:
            aiohttp.ClientError: they did not arrive.
        """
        session = self._client.session
        if session is None:
            raise aiohttp.ClientConnectionError("The client was opened without a session.")
        async with session.post(
            url, data=png, proxy=self._client.proxy, ssl=self._client.ssl or True
        ) as answer:
            answer.raise_for_status()

    def _failed(self, chart: Chart, trouble: SlackFailure, *, for_good: bool) -> float:
        """Return the seconds until the next try, twice as many each time; 0 once it is hopeless."""
        self._tries[chart.digest] += 1
        tries = self._tries[chart.digest]
        if not for_good and tries < _MOST_TRIES:
            return _FIRST_S * float(2 ** (tries - 1))
        self._give_up(chart)
        self._loud.log("picture_refused", {"code": trouble.code}, about=trouble.code)
        return 0

    def _give_up(self, chart: Chart) -> None:
        self._tries.pop(chart.digest, None)
        self._hopeless[chart.digest] = None
        if len(self._hopeless) > _REMEMBERED:
            del self._hopeless[next(iter(self._hopeless))]


def shown(message: DesiredMessage, *, file: str) -> DesiredMessage:
    """Return the message with the uploaded picture below its blocks, or with a note that it is missing."""
    chart = message.chart
    if chart is None:
        return message
    picture: JsonObject = {
        "type": "image",
        "slack_file": {"id": file},
        "alt_text": chart.alt[:_TITLE_CHARS],
        "title": {"type": "plain_text", "text": chart.title[:_TITLE_CHARS]},
    }
    instead: JsonObject = {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": f"{_INSTEAD} {escape(chart.alt[:_ALT_CHARS], quote=False)}"}],
    }
    return message.model_copy(
        update={"blocks": (*message.blocks, picture if file else instead), "chart": None}
    )
