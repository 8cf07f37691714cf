"""files.getUploadURLExternal and files.completeUploadExternal."""

from __future__ import annotations

from typing import Any

from localslack.content import MessageContent, decoded, parse_content
from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.store import Channel, File
from localslack.uploads import announce_file
from localslack.webapi.call import ApiCall, Method

MAX_BYTES = 1_000_000_000


def get_upload_url(call: ApiCall) -> Json:
    """Announce a file, and return where to post its bytes."""
    length = call.number("length", default=0, most=MAX_BYTES)
    if length < 1:
        raise SlackError("invalid_arguments")
    file = announce_file(
        call.core,
        name=call.text("filename"),
        user=call.bot,
        size=length,
        alt_text=call.maybe("alt_txt") or "",
    )
    return {
        "ok": True,
        "upload_url": f"{call.core.shown.url}/upload/{file.id}/{file.secret}",
        "file_id": file.id,
    }


def complete_upload(call: ApiCall) -> Json:
    """Finish uploads, and share the files into a channel or thread when one is named."""
    files = [_uploaded(call, item) for item in _listed(call)]
    channels = _channels(call)
    content = parse_content(
        {"text": call.maybe("initial_comment"), "blocks": call.args.get("blocks")}, call.core.store
    )
    for file in files:
        file.is_complete = True
        file.unready = call.core.faults.unready_files
    for channel in channels:
        _share(call, files, channel, content)
    return {"ok": True, "files": [call.core.shown.file(file) for file in files]}


def _listed(call: ApiCall) -> list[Any]:
    found = decoded(call.args.get("files"), "invalid_arguments")
    if not isinstance(found, list) or not found:
        raise SlackError("invalid_arguments")
    return found


def _uploaded(call: ApiCall, item: Any) -> File:  # noqa: ANN401  # whatever was sent
    file = call.core.store.files.get(str(item.get("id"))) if isinstance(item, dict) else None
    if file is None or file.user != call.bot:
        raise SlackError("file_not_found")
    if file.content is None:
        raise SlackError("file_upload_size_mismatch")
    file.title = str(item.get("title") or file.title)
    return file


def _channels(call: ApiCall) -> list[Channel]:
    keys = [call.args["channel_id"]] if call.maybe("channel_id") else call.names("channels")
    found = [call.core.store.channels.get(str(key)) for key in keys]
    channels = [c for c in found if c is not None and (not c.is_private or call.bot in c.members)]
    if len(channels) != len(keys):
        raise SlackError("channel_not_found")
    if any(call.bot not in channel.members for channel in channels):
        raise SlackError("not_in_channel")
    return channels


def _share(call: ApiCall, files: list[File], channel: Channel, content: MessageContent) -> None:
    message = call.core.messenger.post(
        channel,
        content,
        author=call.bot,
        app=call.app.spec,
        thread_ts=call.maybe("thread_ts"),
        files=tuple(file.id for file in files),
    )
    for file in files:
        file.shares.append((channel.id, message.ts))
        call.core.events.shared_file(file.id, user=call.bot, channel=channel)


METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
}
