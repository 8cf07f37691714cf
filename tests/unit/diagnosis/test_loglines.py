"""Log lines of several makes are read alike."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.signals.loglines import headline, of_text, parse, stamp

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
        found = json.loads(raw.decode("utf-8", "replace"))
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
    line = {**line, "message": line.get("message") or "boom"}
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


CASES = Path(__file__).parents[2] / "data" / "cases"
REFUSED = "cannot take order 4711: connection to 10.0.0.5:5432 refused"


@pytest.mark.parametrize(
    "path", sorted((CASES / "16-log-wrapped-lines").glob("*.jsonl")), ids=lambda path: path.stem
)
def test_the_message_and_the_level_of_a_wrapped_line_are_found(path):
    """Docker's json-file, GELF and Rust's tracing, as reported in public (see the README beside them)."""
    lines = [parse(raw) for raw in path.read_bytes().splitlines()]
    errors = [line for line in lines if line is not None and line.is_error]
    assert len(lines) == 12
    assert None not in lines
    assert len(errors) == 6
    assert all(line.message.endswith(REFUSED) for line in errors)


def test_bytes_that_are_not_utf8_are_replaced_and_the_line_counts():
    raws = (CASES / "17-log-not-utf8" / "latin1.jsonl").read_bytes().splitlines()
    lines = [parse(raw) for raw in raws]
    assert sum(line is not None and line.is_error for line in lines) == 4
    assert parse(raws[-1]).message == "connexion refus\ufffde par 10.0.0.5:5432"


ISO = "2026-03-01T03:00:00.500Z"
MICROS = str(round(AT * 1e6))


@pytest.mark.parametrize(
    "line",
    [
        {"@t": ISO, "@m": "boom", "@l": "Error"},
        {"@t": ISO, "@mt": "bo{What}", "What": "om", "@l": "Fatal"},
        {"Timestamp": ISO, "Level": "Error", "MessageTemplate": "boom"},
        {"__REALTIME_TIMESTAMP": MICROS, "PRIORITY": "3", "MESSAGE": "boom"},
        {"__REALTIME_TIMESTAMP": MICROS, "PRIORITY": "2", "MESSAGE": [98, 111, 111, 109]},
        {"timestamp": ISO, "severity": "ERROR", "textPayload": "boom"},
        {"timestamp": ISO, "severity": "CRITICAL", "jsonPayload": {"message": "boom"}},
        {"timestamp": ISO, "severity": 500, "jsonPayload": {"msg": "boom"}},
        {
            "timestamp": AT * 1000,
            "ingestionTime": AT * 1000 + 9,
            "message": '{"level": "error", "msg": "boom"}',
        },
        {"timestamp": round(AT * 1000), "message": "level=error msg=boom"},
        {"timeUnixNano": str(round(AT * 1e9)), "severityNumber": 17, "body": {"stringValue": "boom"}},
        {"t": {"$date": ISO}, "s": "E", "c": "NETWORK", "msg": "boom"},
        {"datetime": ISO, "level": 400, "level_name": "ERROR", "message": "boom"},
        {
            "text": "x | boom",
            "record": {"level": {"name": "ERROR", "no": 40}, "message": "boom", "time": {"timestamp": AT}},
        },
        {
            "instant": {"epochSecond": int(AT), "nanoOfSecond": 500_000_000},
            "level": "ERROR",
            "message": "boom",
        },
        {"@timestamp": ISO, "@version": "1", "level_value": 40000, "message": "boom"},
        {"time": ISO, "level": "50", "msg": "boom"},
        {"time": ISO, "level": 60, "msg": "boom"},
        {"time": ISO, "level": 0, "msg": "boom"},
        {"time": ISO, "level": "err", "msg": "boom"},
        {"time": ISO, "level": "\u001b[31merror\u001b[39m", "message": "boom"},
        {"asctime": "2026-03-01 03:00:00,500", "levelname": "ERROR", "levelno": 40, "message": "boom"},
        {"time": "2026/03/01 03:00:00.500", "level": "crit", "msg": "boom"},
        {"time": "01/Mar/2026:04:00:00.500 +0100", "level": "E", "msg": "boom"},
        {"time": "2026-03-01 03:00:00.5 +0000 UTC", "level": "error", "msg": "boom"},
        {"ts": ISO, "log": {"level": "error"}, "message": "boom"},
        {
            "log": '{"log": "{\\"level\\": \\"error\\", \\"msg\\": \\"boom\\"}\\n"}\n',
            "time": ISO,
            "stream": "stdout",
        },
        {"log": "boom\n", "stream": "stderr", "time": ISO},
    ],
)
def test_the_time_level_and_message_are_found_wherever_a_maker_puts_them(line):
    found = parse(json.dumps(line).encode())
    assert found is not None
    assert (found.at_s, found.message, found.is_error) == (pytest.approx(AT), "boom", True)


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ({"level": 6}, "INFO"),
        ({"level": 4}, "WARN"),
        ({"level": 7}, "DEBUG"),
        ({"level": 30}, "INFO"),
        ({"level": 40}, "WARN"),
        ({"level": 20}, "DEBUG"),
        ({"levelno": 40}, "ERROR"),
        ({"severityNumber": 9}, "INFO"),
        ({"level": "Information"}, "INFO"),
        ({"priority": 1}, "INFO"),
        ({"user": {"level": 1}}, "INFO"),
    ],
)
def test_a_level_is_the_one_its_maker_means(line, level):
    found = parse(json.dumps({"time": ISO, "msg": "order placed", **line}).encode())
    assert found is not None
    assert found.level == level


def test_a_line_of_a_container_runtime_is_read():
    raw = b'2026-03-01T03:00:00.500000000Z stderr F {"level":"error","msg":"boom"}'
    found = parse(raw)
    assert found is not None
    assert (found.at_s, found.message, found.level, stamp(raw)) == (AT, "boom", "ERROR", AT)


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"level": "info"},
        {"what": "boom", "where": "here"},
        {"msg": ""},
        {"msg": None, "stream": "stdout"},
    ],
)
def test_a_line_with_a_time_and_no_word_of_what_happened_cannot_be_read(line):
    assert parse(json.dumps({"time": ISO, **line}).encode()) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"error": {"type": "PayError", "message": "declined"}},
        {"err": {"name": "PayError", "message": "declined", "stack": "PayError: declined\n    at x"}},
        {"exception": {"class": "x", "stacktrace": "shop.PayError: declined\n\tat x"}},
        {"@x": "Shop.PayError: declined\n   at x"},
        {"stack_trace": "shop.PayError: declined\n\tat x"},
        {"exc_info": "Traceback (most recent call last):\n  File x\nPayError: declined"},
        {"error.type": "PayError", "error.message": "declined"},
    ],
)
def test_a_stack_trace_names_its_exception(fields):
    found = parse(json.dumps({"time": ISO, "level": "error", "msg": "failed", **fields}).encode())
    assert found is not None
    assert (found.exception, found.message) == ("PayError", "failed")
    assert headline(found.error).endswith("PayError: declined")


def test_the_version_of_a_format_is_no_version_of_the_service():
    line = {"version": "1.1", "timestamp": AT, "short_message": "boom", "level": 3}
    assert parse(json.dumps(line).encode()).version == ""


def test_a_line_that_was_cut_keeps_its_level():
    cut = {"time": ISO, "log": '{"level":"error","msg":"boom', "stream": "stdout"}
    found = parse(json.dumps(cut).encode())
    assert found is not None
    assert found.is_error


def test_the_second_that_is_left_over_is_a_time():
    found = parse(json.dumps({"time": "2016-12-31T23:59:60Z", "msg": "boom"}).encode())
    assert found is not None
    assert found.at_s == 1_483_228_800
