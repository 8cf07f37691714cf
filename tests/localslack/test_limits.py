"""What is refused, held against an independent registry of Slack's limits."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
import slackblocks
from hypothesis import given, settings
from hypothesis import strategies as st
from slackblocks import _limits, _surfaces

from localslack.errors import SlackError
from localslack.ids import filled
from localslack.limits import check_message, check_view
from localslack.shapes import Json


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str = "v", text: str = "t", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def button(**more: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **more}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "elements": list(elements)}]


def confirm(**more: Any) -> list[Json]:
    spec = {"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n"), **more}
    return actions(button(confirm=spec))


def select(**more: Any) -> list[Json]:
    return actions({"type": "static_select", "action_id": "a", "options": [option()], **more})


def table(rows: int, columns: int, **more: Any) -> list[Json]:
    cell = {"type": "raw_text", "text": "x"}
    return [{"type": "table", "rows": [[cell] * columns] * rows, **more}]


def plan(tasks: int) -> list[Json]:
    return [
        {
            "type": "plan",
            "title": "t",
            "tasks": [{"task_id": f"t{i}", "title": "x", "status": "pending"} for i in range(tasks)],
        }
    ]


def card(**more: Any) -> list[Json]:
    return [{"type": "card", "title": plain("t"), **more}]


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


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain("t"), "submit": plain("Go"), "blocks": [], **more}


def field(element: Json, **more: Any) -> Json:
    return modal(blocks=[{"type": "input", "label": plain("l"), "element": element, **more}])


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


SAMPLES: dict[str, Json] = {
    "actions": actions(button())[0],
    "alert": {"type": "alert", "text": plain("x")},
    "card": card()[0],
    "carousel": {"type": "carousel", "elements": card()},
    "container": {"type": "container", "child_blocks": [{"type": "divider"}]},
    "context": {"type": "context", "elements": [mrkdwn("x")]},
    "context_actions": {
        "type": "context_actions",
        "elements": [{"type": "icon_button", "icon": "trash", "text": plain("x")}],
    },
    "data_table": {
        "type": "data_table",
        "caption": "c",
        "rows": [[{"type": "raw_text", "text": "h"}], [{"type": "raw_text", "text": "v"}]],
    },
    "data_visualization": {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": [{"label": "a", "value": 1}]},
    },
    "divider": {"type": "divider"},
    "file": {"type": "file", "external_id": "x", "source": "remote"},
    "header": {"type": "header", "text": plain("x")},
    "image": {"type": "image", "image_url": "https://e.example/i.png", "alt_text": "x"},
    "input": {"type": "input", "label": plain("l"), "element": {"type": "plain_text_input"}},
    "markdown": {"type": "markdown", "text": "x"},
    "plan": plan(1)[0],
    "rich_text": {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}],
    },
    "section": {"type": "section", "text": mrkdwn("x")},
    "table": table(1, 1)[0],
    "task_card": {"type": "task_card", "task_id": "t", "title": "x", "status": "complete"},
    "video": {
        "type": "video",
        "alt_text": "x",
        "title": plain("t"),
        "thumbnail_url": "https://e.example/t",
        "video_url": "https://e.example/v",
    },
}

STRICTER_ON_HOME = {"container", "data_visualization", "table"}
"""Allowed on Home by the registry, message-only by Slack's own pages."""


def accepted(block: Json, surface: str) -> bool:
    try:
        if surface == "message":
            check_message([block], [])
        else:
            check_view(
                modal(blocks=[block]) if surface == "modal" else {"type": "home", "blocks": [block]},
                kind=surface,
            )
    except SlackError:
        return False
    return True


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
@pytest.mark.parametrize("kind", SAMPLES)
def test_each_block_stands_only_where_slack_lets_it(kind, surface):
    expected = kind in _surfaces._BLOCK_TYPES_BY_SURFACE[surface]
    if surface == "home" and kind in STRICTER_ON_HOME:
        expected = False
    assert accepted(SAMPLES[kind], surface) is expected


def test_the_samples_hold_every_block_the_registry_knows():
    assert set(SAMPLES) == set().union(*_surfaces._BLOCK_TYPES_BY_SURFACE.values())


def test_what_the_other_library_renders_is_accepted():
    blocks = [
        slackblocks.HeaderBlock("Triage"),
        slackblocks.SectionBlock(
            "*bold*",
            fields=[slackblocks.Text("one"), slackblocks.Text("two")],
            accessory=slackblocks.Button("Go", action_id="go"),
        ),
        slackblocks.DividerBlock(),
        slackblocks.ContextBlock([slackblocks.Text("small")]),
        slackblocks.ActionsBlock(
            [slackblocks.Button("Go", action_id="a"), slackblocks.DatePicker(action_id="d")]
        ),
        slackblocks.PlanBlock(
            "Plan", [slackblocks.TaskCardBlock(task_id="t", title="Task", status="in_progress")]
        ),
    ]
    check_message(slackblocks.Message(channel="C", blocks=blocks).to_dict()["blocks"], [])


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ([{"type": "nonsense"}], "unsupported type: nonsense"),
        ([{}], "unsupported type: None"),
        (["text"], "must provide an object"),
        ([{"type": "section"}], "missing required field: text or fields"),
        ([{"type": "header", "text": mrkdwn("x")}], "unsupported type: mrkdwn"),
        ([{"type": "header", "text": plain("")}], "must be more than 0 characters"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": 7}}], "must provide a string"),
        (
            [{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}],
            "block_id `b` already exists",
        ),
        (actions(button(), button()), "action_id `a` already exists"),
        (actions({"type": "plain_text_input"}), "unsupported type: plain_text_input"),
        ([{"type": "actions", "elements": []}], "no fewer than 1 items"),
        (actions(button(style="loud")), "must be a valid enum value"),
        (actions(button(url="javascript:alert(1)")), "must be a valid URL"),
        (select(option_groups=[]), "exactly one of options and option_groups"),
        (select(initial_option=option("other")), "initial option must be one of the options"),
        (actions({"type": "datepicker", "initial_date": "3 May"}), "must be a date"),
        ([{"type": "image", "alt_text": "x"}], "exactly one of image_url and slack_file"),
        ([{"type": "task_card", "task_id": "t", "title": "x", "status": "pending"}], "cannot be pending"),
        (
            [
                {
                    "type": "plan",
                    "title": "t",
                    "tasks": [{"task_id": "t", "title": "x", "status": "completed"}],
                }
            ],
            "must be a valid enum value",
        ),
        (
            [
                {
                    "type": "plan",
                    "title": "t",
                    "tasks": [{"task_id": "t", "title": x, "status": "error"} for x in "ab"],
                }
            ],
            "task_id `t` already exists",
        ),
        (table(1, 1) + table(1, 1), "only_one_table_allowed"),
        (
            [
                {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}],
                }
            ],
            "must be more than 0 characters",
        ),
        ([{"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}], "unsupported type: text"),
        ([{"type": "context", "elements": [button()]}], "unsupported type: button"),
    ],
)
def test_a_fault_is_named_with_its_place(blocks, words):
    with pytest.raises(SlackError, match="invalid_blocks") as caught:
        check_message(blocks, [])
    assert words in caught.value.extra["response_metadata"]["messages"][0]


def test_every_fault_is_named_at_once():
    with pytest.raises(SlackError) as caught:
        check_message([{"type": "header"}, {"type": "section"}, {"type": "nonsense"}], [])
    assert len(caught.value.extra["response_metadata"]["messages"]) == 3


def test_all_text_together_has_a_limit():
    section = {"type": "section", "text": mrkdwn("x" * 3000)}
    check_message([section] * 4, [])
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_message([section] * 4 + [{"type": "section", "text": mrkdwn("x")}], [])


def test_attachments_are_checked_too():
    with pytest.raises(SlackError, match="invalid_attachments"):
        check_message([], [{"blocks": [{"type": "header", "text": plain("x" * 151)}]}])
    with pytest.raises(SlackError, match="too_many_attachments"):
        check_message([], [{"text": "x"}] * 101)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.text(max_size=4)
    | st.sampled_from(["button", "mrkdwn", "card"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "elements", "options"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every piece of a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, inner in items for place in places(inner, (*at, key)))]


@given(data=st.data(), kind=st.sampled_from(sorted(SAMPLES)), junk=JSON)
@settings(max_examples=400, deadline=None)
def test_whatever_is_put_anywhere_in_a_block_is_taken_or_refused(data, kind, junk):
    blocks: list[Any] = [copy.deepcopy(SAMPLES[kind]), *confirm(), *select(initial_option=option())]
    *way, last = data.draw(st.sampled_from([place for place in places(blocks) if place]))
    target: Any = blocks
    for key in way:
        target = target[key]
    target[last] = junk
    with contextlib.suppress(SlackError):
        check_message(blocks, [{"blocks": blocks}])
        filled(blocks)
    with contextlib.suppress(SlackError):
        check_view(modal(blocks=blocks), kind="modal")


def test_a_modal_with_a_field_needs_a_submit_button():
    view = field({"type": "plain_text_input"})
    del view["submit"]
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(view, kind="modal")


def test_a_view_has_a_size():
    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(blocks=[{"type": "section", "text": plain("x" * 2999)}] * 90), kind="modal")
