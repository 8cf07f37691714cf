"""Cutting, escaping and phrasing of text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diagnoses.finding import Evidence
from bot.domain.formatting import duration, listed, several
from bot.views.blocks import context, fit, section, stack
from bot.views.limits import bold, clip, code, cut_lines, escape, link, plain, prose, unescape
from bot.views.phrases import (
    after_echo,
    capital,
    compared,
    human,
    in_readers_zone,
    likelihood,
    quantity,
    sentence,
    without_ids,
)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.35, "350 ms"),
        (0.9999, "1 s"),
        (1.24, "1.2 s"),
        (9.97, "10 s"),
        (42, "42 s"),
        (59.6, "1 min"),
        (252, "4 min 12 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (-3, "0 ms"),
    ],
)
def test_durations_are_said_as_people_do(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("confidence", "said"),
    [
        (0.92, "very likely (92 %)"),
        (0.6, "likely (60 %)"),
        (0.3, "possible (30 %)"),
        (0.1, "unlikely (10 %)"),
        (0, "unlikely (0 %)"),
    ],
)
def test_confidence_is_said_in_words_and_per_cent(confidence, said):
    assert likelihood(confidence) == said


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.1234, "ratio", "12 %"),
        (0.0021, "ratio", "0.21 %"),
        (0.25, "s", "250 ms"),
        (256e6, "bytes", "256 MB"),
        (12_345, "requests", "12,345 requests"),
        (0.5, "", "0.5"),
    ],
)
def test_values_are_said_with_their_unit(value, unit, said):
    assert quantity(value, unit) == said


def test_a_value_is_compared_with_the_ordinary_one():
    assert compared(Evidence(text="", value=0.4, baseline=0.01, unit="s")) == "400 ms (usually 10 ms)"
    assert compared(Evidence(text="", value=9, baseline=3, unit="waits")) == "9 waits (usually 3)"
    assert compared(Evidence(text="", value=9, unit="waits")) == "9 waits"
    assert compared(Evidence(text="x")) == ""


def test_lists_counts_and_sentences_are_plain_english():
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"], last="or") == "a, b or c"
    assert several(1, "step") == "1 step"
    assert several(1200, "query", "queries") == "1,200 queries"
    assert sentence("done") == "done."
    assert sentence("really?") == "really?"
    assert sentence("") == ""
    assert capital("") == ""
    assert after_echo("No fault found: all is well", "no fault found") == "All is well"
    assert after_echo("all is well", "no fault found") == "All is well"
    assert after_echo("Done", "done") == "Done"
    assert human("roll_back-now") == "Roll back now"


def test_words_from_outside_are_one_escaped_line():
    assert prose("a\n\n  b <!here> & `x`") == "a b &lt;!here&gt; &amp; `x`"
    assert prose("an `odd tick") == "an 'odd tick"
    assert prose("```fence```") == "'''fence'''"
    assert prose("\x1b[31mred\u202e") == "[31mred"


def test_a_cut_never_halves_an_entity_or_a_code_span():
    assert prose("ab&cd", 6) == "ab…"
    assert prose("`abcdef` g", 6) == "'abcd…"


def test_code_and_bold_cannot_be_ended_from_within():
    assert code("a `b` c") == "`a 'b' c`"
    assert code("  ") == ""
    assert bold("a*b") == "*a∗b*"  # noqa: RUF001  # looks like a star and is none
    assert bold("") == ""


def test_only_whole_web_addresses_are_linked():
    assert link("https://x.example/a?b=1&c=2|d", "open") == "<https://x.example/a?b=1&amp;c=2%7Cd|open>"
    assert link("javascript:alert(1)", "open") == ""
    assert link("https://x.example/a b", "open") == ""
    assert link("https://x.example/" + "a" * 2000, "open") == ""


def test_plain_text_is_never_empty_nor_a_mention():
    assert plain("  ", 10) == "–"  # noqa: RUF001  # a dash for nothing
    assert plain("<!channel>", 20) == "< !channel>"
    assert clip("abcdef", 4) == "abc…"


@given(st.text())
def test_escaping_can_be_undone(text):
    assert unescape(escape(text)) == text


def test_a_long_text_is_cut_between_lines_and_says_how_many_are_missing():
    text = "\n".join(f"line {i}" for i in range(100))
    cut = cut_lines(text, 100)
    assert cut.startswith("line 0\nline 1\n")
    assert cut.endswith("… and 90 more lines")
    assert len(cut) <= 100


def test_a_cut_closes_a_code_fence():
    text = "```\n" + "\n".join("x" * 20 for _ in range(30)) + "\n```"
    cut = cut_lines(text, 200)
    assert cut.count("```") == 2


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("a" * 40 + "<https://x.example/" + "b" * 100 + "|open>", "aaaa…"),
        ("a" * 50 + "`" + "b" * 100 + "`", "b…`"),
        ("```" + "b" * 200, "b…```"),
        ("a" * 94 + "&amp;&amp;", "aaaa…"),
    ],
)
def test_a_single_long_line_is_cut_outside_of_links_spans_and_entities(line, end):
    cut = cut_lines(line, 100)
    assert cut.endswith(end)
    assert len(cut) <= 100


def test_many_paragraphs_share_sections():
    assert len(stack(["one"] * 5)) == 5
    assert len(stack(["paragraph " * 10] * 40)) == 2


def test_what_does_not_fit_is_left_out_from_the_end_and_said():
    blocks = [section("x" * 2900) for _ in range(5)] + [context("kept")]
    fitted = fit(blocks)
    assert [block["type"] for block in fitted] == ["section"] * 4 + ["context", "context"]
    assert "Shortened" in str(fitted[-1])
    assert "kept" in str(fitted[-2])


def test_too_many_blocks_are_cut_to_what_a_message_holds():
    assert len(fit([section("x") for _ in range(80)])) == 50


def test_empty_sections_are_left_out():
    assert fit([section("", ""), context("a")]) == [context("a")]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("began at 02:59:07 UTC", "began at <!date^{night}^{{time}}|02:59 UTC>"),
        ("began at 02:59 UTC.", "began at <!date^{minute}^{{time}}|02:59 UTC>."),
        ("at 23:59:00 UTC", "at <!date^{eve}^{{time}}|23:59 UTC>"),
        ("99:59:00 UTC", "99:59:00 UTC"),
        ("nothing", "nothing"),
    ],
)
def test_a_time_in_utc_is_shown_in_the_readers_zone_on_the_nearest_day(text, shown):
    near = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
    moments = {
        "night": int(datetime(2026, 3, 4, 2, 59, 7, tzinfo=UTC).timestamp()),
        "minute": int(datetime(2026, 3, 4, 2, 59, tzinfo=UTC).timestamp()),
        "eve": int(datetime(2026, 3, 3, 23, 59, tzinfo=UTC).timestamp()),
    }
    assert in_readers_zone(text, near=near) == shown.format(**moments)


def test_a_time_with_its_date_keeps_the_date():
    near = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
    assert "|2025-12-31 23:51 UTC>" in in_readers_zone("2025-12-31 23:51:20 UTC", near=near)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Synced search to 1.0.1 (b108f8ded) by syncer", "Synced search to 1.0.1 by syncer"),
        ("asks for 0.9.1, in commit cfbca16c83.", "asks for 0.9.1."),
        ("I had to stop (run r44801c1573eb94).", "I had to stop."),
        ("1234567 requests", "1234567 requests"),
        ("a decade (deadbeef)", "a decade (deadbeef)"),
    ],
)
def test_ids_of_commits_and_runs_are_left_out_and_numbers_and_words_stay(text, shown):
    assert without_ids(text) == shown
