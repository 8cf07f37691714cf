"""Log templates: what varies is masked, what differs in words stays apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.signals.templates import group, mask


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("order 512 placed: 3 x tea for 12.50 EUR", "order <n> placed: <n> x tea for <n> EUR"),
        ("user 3f2a99bb-0c1d-4e5f-8a9b-001122334455 left", "user <uuid> left"),
        ("connect to 10.0.0.1:5432 refused", "connect to <ip> refused"),
        ("GET https://bank/x?y=1 gave 502", "GET <url> gave <n>"),
        ("KeyError: 'NO'", "KeyError: <quoted>"),
        ("at 2026-03-01T03:12:07.123Z it broke", "at <time> it broke"),
        ("trace 9f8e7d6c5b4a found", "trace <hex> found"),
        ("pod checkout-7d9f8-x2x1 gone", "pod <id> gone"),
        ("mail to mira@example.org bounced", "mail to <email> bounced"),
        ("took 15ms", "took <n>ms"),
        ("HTTP/1 h2 v8", "HTTP/<n> h2 v8"),
        ("Can't find record in 'orders'", "Can't find record in <quoted>"),
        ("Can't write; duplicate key in table 'orders'", "Can't write; duplicate key in table <quoted>"),
        ("Can't connect to MySQL server on 'db1'", "Can't connect to MySQL server on <quoted>"),
        ("couldn't find 'a' and doesn't have 'b'", "couldn't find <quoted> and doesn't have <quoted>"),
        ("user 'o'brien' isn't known", "user <quoted> isn't known"),
        ("the users' table isn't there", "the users' table isn't there"),
        ("a ` that is never closed isn't a quote", "a ` that is never closed isn't a quote"),
        ("key='x' is not in [\"y\"]", "key=<quoted> is not in [<quoted>]"),
    ],
)
def test_what_varies_from_line_to_line_is_masked(message, masked):
    assert mask(message) == masked


def test_messages_that_differ_in_one_word_share_a_template():
    templates = group(["order <n> to NO failed for good", "order <n> to CH failed for good"])
    assert set(templates.values()) == {"order <n> to <*> failed for good"}


def test_messages_that_say_different_things_stay_apart():
    templates = group(["order <n> placed", "the cache cannot be reached at all", "pool: <n> of <n>"])
    assert len(set(templates.values())) == 3


@given(st.lists(st.text(alphabet="abc <n>", min_size=1, max_size=30), max_size=30), st.randoms())
def test_the_order_of_messages_does_not_matter(messages, mixer):
    shuffled = list(messages)
    mixer.shuffle(shuffled)
    assert group(messages) == group(shuffled)


@given(st.text(max_size=600))
def test_masking_takes_any_text(text):
    assert len(mask(text)) <= 1200
