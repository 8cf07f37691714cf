"""A pattern that somebody writes cannot bring the process to a standstill, whatever text it meets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from bot.domain.pattern import Pattern

_PARTS = st.sampled_from(["a", "b", ".", r"\d", r"\w", "[^a]", "a|b", "^a", "b$", "(ab)", "(?:a|b)"])
_TIMES = st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "*?"])
_TEXTS = st.text(alphabet="ab1 é", max_size=12)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", [r"(a+)+$", r"^(a|a)*$", r"(a|aa)+$", r"(.*a){12}$", r"(\w+\s?)+:"])
def test_what_would_take_python_years_takes_no_time(text):
    assert not Pattern(text).found_in("a" * 100_000 + "!")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(", "unclosed group"),
        ("(?=a)b", "look-around, including look-ahead and look-behind, is not supported"),
        (r"(a)\1", "backreferences are not supported"),
        ("a{1000}{1000}{1000}", "size limit"),
    ],
)
def test_what_cannot_be_matched_in_time_is_refused_with_the_reason(text, why):
    for make in (Pattern, Pattern.of_whole):
        with pytest.raises(ValueError, match=re.escape(why)):
            make(text)
    with pytest.raises(ValidationError, match="is not a valid regular expression"):
        TypeAdapter(Pattern).validate_python(text)


@given(parts=st.lists(st.tuples(_PARTS, _TIMES), min_size=1, max_size=4), text=_TEXTS)
def test_it_finds_what_python_finds(parts, text):
    pattern = "".join(f"(?:{part}){times}" for part, times in parts)
    assert Pattern(pattern).found_in(text) is (re.search(pattern, text) is not None)
    assert Pattern.of_whole(pattern).found_in(text) is (re.fullmatch(pattern, text) is not None)


def test_brackets_that_only_fit_around_the_whole_are_refused():
    with pytest.raises(ValueError, match="not a valid regular expression"):
        Pattern.of_whole("a)|(b")


def test_half_a_character_is_looked_through_like_any_text():
    assert Pattern("b").found_in("a\ud800b")
