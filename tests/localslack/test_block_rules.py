"""Where each block may stand, and what is refused in it by name, whatever it holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import slackblocks
from hypothesis import given, settings
from hypothesis import strategies as st
from slackblocks import _surfaces

from localslack.errors import SlackError
from localslack.ids import filled
from localslack.limits import check_message, check_view
from localslack.shapes import Json
from tests.localslack.blocks import (
    SAMPLES,
    actions,
    button,
    confirm,
    field,
    modal,
    mrkdwn,
    option,
    plain,
    select,
    table,
)

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


REFUSALS = {"invalid_blocks", "invalid_arguments", "invalid_attachments", "too_many_attachments"}


def refusal_of_message(blocks: list[Any]) -> SlackError | None:
    try:
        check_message(blocks, [{"blocks": blocks}])
    except SlackError as error:
        return error
    return None


def refusal_of_view(blocks: list[Any]) -> SlackError | None:
    try:
        check_view(modal(blocks=blocks), kind="modal")
    except SlackError as error:
        return error
    return None


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
    given_to_us = copy.deepcopy(blocks)
    for refusal_of in (refusal_of_message, refusal_of_view):
        refusal = refusal_of(blocks)
        if refusal is not None:
            assert refusal.code in REFUSALS
            assert refusal.extra["response_metadata"]["messages"]
        else:
            whole = filled(blocks)
            assert refusal_of(whole) is None
            assert [bool(block["block_id"]) for block in whole] == [True] * len(blocks)
            assert filled(whole) == whole
    assert blocks == given_to_us  # nobody's blocks are written into


@given(kind=st.sampled_from(sorted(SAMPLES)), junk=JSON.filter(lambda value: not isinstance(value, dict)))
def test_what_is_no_block_is_refused_wherever_it_stands(kind, junk):
    for blocks in ([junk, SAMPLES[kind]], [SAMPLES[kind], junk]):
        with pytest.raises(SlackError):
            check_message(blocks, [])


def test_a_modal_with_a_field_needs_a_submit_button():
    view = field({"type": "plain_text_input"})
    del view["submit"]
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view(view, kind="modal")
