"""What a message is made of, as an app sends it: parsed, checked, and ready to store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localslack.errors import SlackError, invalid_blocks
from localslack.ids import filled
from localslack.limits import check_message
from localslack.shapes import Blocks, Json
from localslack.store import File, WorkspaceStore

MAX_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_METADATA_BYTES = 8_000


@dataclass(frozen=True, slots=True)
class MessageContent:
    """Text, blocks, attachments and metadata; None where the app sent nothing."""

    text: str | None = None
    blocks: Blocks | None = None
    attachments: list[Json] | None = None
    metadata: Json | None = None

    @property
    def is_empty(self) -> bool:
        """Whether a reader would see nothing."""
        return not (self.text or self.blocks or self.attachments)


def parse_content(args: Json, store: WorkspaceStore) -> MessageContent:
    """Return the message in a call's arguments, or in a body posted to a response URL.

    Raises:
        SlackError: what Slack answers to the first fault; block faults come all at once.
    """
    blocks = _array(args.get("blocks"), "invalid_blocks_format")
    attachments = _array(args.get("attachments"), "invalid_attachments_format")
    text = args.get("text")
    written = args.get("markdown_text")
    if written:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        blocks = [{"type": "markdown", "text": written}]
    check_message(blocks or [], attachments or [])
    _check_files(blocks or [], store)
    return MessageContent(
        text=None if text is None else str(text)[:MAX_TEXT],
        blocks=None if blocks is None else filled(blocks),
        attachments=None if attachments is None else [_numbered(a, i) for i, a in enumerate(attachments, 1)],
        metadata=_metadata(args.get("metadata")),
    )


def decoded(value: Any, code: str) -> Any:  # noqa: ANN401  # JSON, or a string that holds JSON
    """Return a structured argument: as it is, or parsed from a JSON string.

    Raises:
        SlackError: ``code``, when the string is not JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as exc:
        raise SlackError(code) from exc


def _array(value: Any, code: str) -> list[Json] | None:  # noqa: ANN401  # whatever was sent
    if value is None or value == "":
        return None
    found = decoded(value, code)
    if not isinstance(found, list):
        raise SlackError(code)
    return found


def _numbered(attachment: Json, number: int) -> Json:
    made = {"id": number, "fallback": "[no preview available]", **attachment}
    if isinstance(made.get("blocks"), list):
        made["blocks"] = filled(made["blocks"])
    return made


def _metadata(value: Any) -> Json | None:  # noqa: ANN401  # whatever was sent
    if value is None or value == "":
        return None
    found = decoded(value, "metadata_must_be_sent_as_json")
    if not isinstance(found, dict):
        raise SlackError("invalid_metadata_format")
    if not found:
        return {}
    if not isinstance(found.get("event_type"), str) or not isinstance(found.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(found)) > MAX_METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return found


def _check_files(blocks: Blocks, store: WorkspaceStore) -> None:
    faults = [
        f"[ERROR] invalid slack file [json-pointer:{at}/slack_file]"
        for at, wanted in _slack_files(blocks, "/blocks")
        if not any(
            (wanted.get("id") == f.id or f.id in str(wanted.get("url"))) and _is_ready(f)
            for f in store.files.values()
        )
    ]
    if faults:
        raise invalid_blocks(faults)


def _is_ready(file: File) -> bool:
    """Return whether blocks may show a file: Slack checks a new one, and refuses it until then."""
    if file.unready > 0:
        file.unready -= 1
        return False
    return file.is_complete


def _slack_files(value: Any, at: str) -> list[tuple[str, Json]]:  # noqa: ANN401  # walks any JSON
    found: list[tuple[str, Json]] = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += _slack_files(item, f"{at}/{index}")
    elif isinstance(value, dict):
        if isinstance(value.get("slack_file"), dict):
            found.append((at, value["slack_file"]))
        for key, item in value.items():
            found += _slack_files(item, f"{at}/{key}")
    return found
