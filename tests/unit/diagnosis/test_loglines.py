"""Log lines of several makes are read alike."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.signals.loglines import of_text, parse, stamp

AT = 1_772_334_000.5


@pytest.mark.parametrize(
    "line",
    [
        {"ts": "2026-03-01T03:00:00.500Z", "level": "ERROR", "message": "boom"},
        {"time": "2026-03-01T03:00:00.500+00:00", "severity": "error", "msg": "boom"},
        {"timestamp": AT, "lvl": "Error", "event": "boom"},
        {"@timestamp": "2026-03-01T03:00:00.500", "log.level": "error", "message": "boom"},
        {"time": AT * 1000, "level": 50, "msg": "boom"},
        {"ts": str(AT), "level": "FATAL", "message": "boom"},
        {"ts": AT * 1e9, "level": "FATAL", "message": "boom"},
    ],
    ids=["ours", "zap", "epoch", "ecs", "pino", "epoch as text", "nanoseconds"],
)
def test_lines_of_several_makes_are_read_alike(line):
    raw = json.dumps(line).encode()
    found = parse(raw)
    assert found is not None
    assert (found.at_s, found.message, found.is_error) == (AT, "boom", True)
    assert stamp(raw) == AT


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"text",
        b"[]",
        b"{}",
        b'{"ts": null}',
        b'{"ts": "soon"}',
        b'{"ts": {}}',
        b'{"ts": NaN}',
        b'{"ts": 1e999}',
        b'{"ts": true}',
        b"\xff",
    ],
)
def test_what_is_no_line_is_none(raw):
    assert parse(raw) is None


@pytest.mark.parametrize(
    ("error", "message", "exception"),
    [
        ("KeyError: 'NO'", "failed", "KeyError"),
        ("java.net.SocketTimeoutException: x", "failed", "SocketTimeoutException"),
        ("", "ValueError while parsing", "ValueError"),
        ("", "an error occurred", ""),
    ],
)
def test_the_exception_is_named(error, message, exception):
    raw = json.dumps({"ts": AT, "level": "ERROR", "message": message, "error": error}).encode()
    found = parse(raw)
    assert found is not None
    assert found.exception == exception


def as_object(raw):
    """Return the JSON object that these bytes are, or none."""
    try:
        found = json.loads(raw.decode())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


LINE = json.dumps({"ts": AT, "level": "ERROR", "message": "boom"}).encode()


@given(
    st.binary(max_size=200)
    | st.tuples(st.integers(0, len(LINE)), st.binary(max_size=3)).map(
        lambda at: LINE[: at[0]] + at[1] + LINE[at[0] :]
    )
)
def test_any_bytes_are_a_line_with_a_finite_time_if_they_are_an_object_and_else_none(raw):
    found, at_s = parse(raw), stamp(raw)
    assert found is None or (as_object(raw) is not None and math.isfinite(found.at_s))
    assert at_s is None or math.isfinite(at_s)
    if as_object(raw) == as_object(LINE):
        assert (found, at_s) == (parse(LINE), AT)


@given(
    st.dictionaries(
        st.sampled_from(["ts", "level", "message", "error", "version"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3
        ),
    )
)
def test_any_json_object_is_read_as_soon_as_it_has_a_time(line):
    without = parse(json.dumps({**line, "ts": None}).encode())
    assert without is None
    raw = json.dumps({**line, "ts": AT}).encode()
    found = parse(raw)
    assert found is not None
    assert (found.at_s, stamp(raw)) == (AT, AT)
    texts = (found.level, found.message, found.error, found.version, found.exception)
    assert [type(text) for text in texts] == [str] * 5
    for name in ("message", "error", "version"):
        if isinstance(line.get(name), str):
            assert getattr(found, name) == line[name]


@given(text=st.text(max_size=200) | st.text(max_size=60).map(lambda said: f'level=error msg="{said}"'))
def test_any_text_of_a_log_store_is_a_line_of_that_moment(text):
    line = of_text(text, at_s=5.0, labels={"detected_level": "error"})
    assert line.at_s == 5.0
    assert line.message or not text


def test_what_a_line_says_of_its_level_counts_more_than_what_its_store_guessed():
    guessed = {"detected_level": "error"}
    assert of_text("12:00 INFO no error here", at_s=5.0, labels=guessed).level == "INFO"
    assert of_text('level=warn msg="no \\"error\\" here"', at_s=5.0, labels=guessed).level == "WARN"
    assert of_text("something broke", at_s=5.0, labels=guessed).is_error
