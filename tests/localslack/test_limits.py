"""What may be how long and how many, held against an independent registry of Slack's limits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from slackblocks import _limits

from localslack.errors import SlackError
from localslack.limits import check_message, check_view
from localslack.shapes import Json
from tests.localslack.blocks import (
    actions,
    button,
    card,
    confirm,
    field,
    modal,
    mrkdwn,
    option,
    plain,
    plan,
    select,
    table,
)

MESSAGE_LIMITS: dict[str, Callable[[int], list[Json]]] = {
    "SECTION_TEXT_MAX_LENGTH": lambda n: [{"type": "section", "text": mrkdwn("x" * n)}],
    "SECTION_FIELDS_MAX_ITEMS": lambda n: [{"type": "section", "fields": [mrkdwn("x")] * n}],
    "SECTION_FIELDS_ITEM_MAX_LENGTH": lambda n: [{"type": "section", "fields": [mrkdwn("x" * n)]}],
    "HEADER_TEXT_MAX_LENGTH": lambda n: [{"type": "header", "text": plain("x" * n)}],
    "CONTEXT_ELEMENTS_MAX_ITEMS": lambda n: [{"type": "context", "elements": [mrkdwn("x")] * n}],
    "ACTIONS_ELEMENTS_MAX_ITEMS": lambda n: actions(*[button(action_id=f"a{i}") for i in range(n)]),
    "BLOCK_ID_MAX_LENGTH": lambda n: [{"type": "divider", "block_id": "x" * n}],
    "ACTION_ID_MAX_LENGTH": lambda n: actions(button(action_id="x" * n)),
    "BUTTON_TEXT_MAX_LENGTH": lambda n: actions(button(text=plain("x" * n))),
    "BUTTON_VALUE_MAX_LENGTH": lambda n: actions(button(value="x" * n)),
    "BUTTON_URL_MAX_LENGTH": lambda n: actions(button(url="https://e.example/".ljust(n, "x"))),
    "BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH": lambda n: actions(button(accessibility_label="x" * n)),
    "CONFIRMATION_TITLE_MAX_LENGTH": lambda n: confirm(title=plain("x" * n)),
    "CONFIRMATION_TEXT_MAX_LENGTH": lambda n: confirm(text=plain("x" * n)),
    "CONFIRMATION_CONFIRM_MAX_LENGTH": lambda n: confirm(confirm=plain("x" * n)),
    "CONFIRMATION_DENY_MAX_LENGTH": lambda n: confirm(deny=plain("x" * n)),
    "SELECT_OPTIONS_MAX_ITEMS": lambda n: select(options=[option(str(i)) for i in range(n)]),
    "SELECT_PLACEHOLDER_MAX_LENGTH": lambda n: select(placeholder=plain("x" * n)),
    "OPTION_TEXT_MAX_LENGTH": lambda n: select(options=[option(text="x" * n)]),
    "OPTION_VALUE_MAX_LENGTH": lambda n: select(options=[option("x" * n)]),
    "OPTION_DESCRIPTION_MAX_LENGTH": lambda n: select(options=[option(description=plain("x" * n))]),
    "OPTION_GROUP_LABEL_MAX_LENGTH": lambda n: actions(
        {"type": "static_select", "option_groups": [{"label": plain("x" * n), "options": [option()]}]}
    ),
    "OVERFLOW_OPTIONS_MAX_ITEMS": lambda n: actions(
        {"type": "overflow", "options": [option(str(i)) for i in range(n)]}
    ),
    "CHECKBOXES_OPTIONS_MAX_ITEMS": lambda n: actions(
        {"type": "checkboxes", "options": [option(str(i)) for i in range(n)]}
    ),
    "RADIO_BUTTONS_OPTIONS_MAX_ITEMS": lambda n: actions(
        {"type": "radio_buttons", "options": [option(str(i)) for i in range(n)]}
    ),
    "IMAGE_ALT_TEXT_MAX_LENGTH": lambda n: [
        {"type": "image", "image_url": "https://e.example/i.png", "alt_text": "x" * n}
    ],
    "IMAGE_IMAGE_URL_MAX_LENGTH": lambda n: [
        {"type": "image", "image_url": "https://e.example/".ljust(n, "x"), "alt_text": "x"}
    ],
    "IMAGE_TITLE_MAX_LENGTH": lambda n: [
        {"type": "image", "image_url": "https://e.example/i.png", "alt_text": "x", "title": plain("x" * n)}
    ],
    "MARKDOWN_TEXT_MAX_LENGTH": lambda n: [{"type": "markdown", "text": "x" * n}],
    "TABLE_ROWS_MAX_ITEMS": lambda n: table(n, 1),
    "TABLE_COLUMNS_MAX_ITEMS": lambda n: table(1, n),
    "TABLE_COLUMN_SETTINGS_MAX_ITEMS": lambda n: table(1, 1, column_settings=[{"align": "left"}] * n),
    "PLAN_TASKS_MAX_ITEMS": plan,
    "CARD_TITLE_MAX_LENGTH": lambda n: card(title=plain("x" * n)),
    "CARD_BODY_MAX_LENGTH": lambda n: card(body=plain("x" * n)),
    "CARD_ACTIONS_MAX_ITEMS": lambda n: card(actions=[button(action_id=str(i)) for i in range(n)]),
    "CAROUSEL_ELEMENTS_MAX_ITEMS": lambda n: [{"type": "carousel", "elements": card() * n}],
    "CONTAINER_CHILD_BLOCKS_MAX_ITEMS": lambda n: [
        {"type": "container", "child_blocks": [{"type": "divider"}] * n}
    ],
    "CONTEXT_ACTIONS_ELEMENTS_MAX_ITEMS": lambda n: [
        {
            "type": "context_actions",
            "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}] * n,
        }
    ],
    "DATA_VISUALIZATION_TITLE_MAX_LENGTH": lambda n: [
        {
            "type": "data_visualization",
            "title": "x" * n,
            "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
        }
    ],
    "VIDEO_ALT_TEXT_MAX_LENGTH": lambda n: [
        {
            "type": "video",
            "alt_text": "x" * n,
            "title": plain("t"),
            "thumbnail_url": "https://e.example/t",
            "video_url": "https://e.example/v",
        }
    ],
    "MESSAGE_BLOCKS_MAX_ITEMS": lambda n: [{"type": "divider"}] * n,
}


VIEW_LIMITS: dict[str, Callable[[int], Json]] = {
    "VIEW_BLOCKS_MAX_ITEMS": lambda n: modal(blocks=[{"type": "divider"}] * n),
    "VIEW_TITLE_MAX_LENGTH": lambda n: modal(title=plain("x" * n)),
    "VIEW_SUBMIT_MAX_LENGTH": lambda n: modal(submit=plain("x" * n)),
    "VIEW_CLOSE_MAX_LENGTH": lambda n: modal(close=plain("x" * n)),
    "VIEW_PRIVATE_METADATA_MAX_LENGTH": lambda n: modal(private_metadata="x" * n),
    "VIEW_CALLBACK_ID_MAX_LENGTH": lambda n: modal(callback_id="x" * n),
    "VIEW_EXTERNAL_ID_MAX_LENGTH": lambda n: modal(external_id="x" * n),
    "ALERT_TEXT_MAX_LENGTH": lambda n: modal(blocks=[{"type": "alert", "text": plain("x" * n)}]),
    "INPUT_LABEL_MAX_LENGTH": lambda n: field({"type": "plain_text_input"}, label=plain("x" * n)),
    "INPUT_HINT_MAX_LENGTH": lambda n: field({"type": "plain_text_input"}, hint=plain("x" * n)),
    "PLAIN_TEXT_INPUT_MAX_LENGTH_MAX": lambda n: field({"type": "plain_text_input", "max_length": n}),
    "PLAIN_TEXT_INPUT_PLACEHOLDER_MAX_LENGTH": lambda n: field(
        {"type": "plain_text_input", "placeholder": plain("x" * n)}
    ),
    "FILE_INPUT_MAX_FILES_MAX": lambda n: field({"type": "file_input", "max_files": n}),
}


@pytest.mark.parametrize("name", MESSAGE_LIMITS)
def test_a_message_may_reach_each_limit_and_not_pass_it(name):
    most = getattr(_limits, name)
    check_message(MESSAGE_LIMITS[name](most), [])
    with pytest.raises(SlackError, match="invalid_blocks") as caught:
        check_message(MESSAGE_LIMITS[name](most + 1), [])
    assert "json-pointer:/blocks" in caught.value.extra["response_metadata"]["messages"][0]


@pytest.mark.parametrize("name", VIEW_LIMITS)
def test_a_view_may_reach_each_limit_and_not_pass_it(name):
    most = getattr(_limits, name)
    check_view(VIEW_LIMITS[name](most), kind="modal")
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(VIEW_LIMITS[name](most + 1), kind="modal")


def test_all_text_together_has_a_limit():
    section = {"type": "section", "text": mrkdwn("x" * 3000)}
    check_message([section] * 4, [])
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_message([section] * 4 + [{"type": "section", "text": mrkdwn("x")}], [])


def test_a_view_has_a_size():
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(blocks=[{"type": "section", "text": plain("x" * 2999)}] * 90), kind="modal")
