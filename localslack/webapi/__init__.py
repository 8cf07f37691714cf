"""The Web API: one file for each family of methods."""

from __future__ import annotations

from localslack.webapi import (
    apps,
    chat,
    chat_edit,
    conversations,
    conversations_read,
    files,
    reactions,
    users,
    views,
)
from localslack.webapi.call import Method

METHODS: dict[str, Method] = {
    **apps.METHODS,
    **chat.METHODS,
    **chat_edit.METHODS,
    **conversations.METHODS,
    **conversations_read.METHODS,
    **files.METHODS,
    **reactions.METHODS,
    **users.METHODS,
    **views.METHODS,
}
