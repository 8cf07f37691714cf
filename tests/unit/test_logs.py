"""Log lines are data for machines, legible for people, and hold no secrets."""

from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.logs import REDACTED, ConsoleFormatter, JsonFormatter, configure_logs, redact


@pytest.fixture
def _own_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(event: str = "run_advanced", /, **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": event, "name": "bot.engine", "levelname": "INFO", "created": 0.25})
    vars(made).update(fields)
    return made


def written(**fields: object) -> dict[str, object]:
    line = JsonFormatter().format(record(**fields))
    assert "\n" not in line
    parsed = json.loads(line)
    assert isinstance(parsed, dict)
    return parsed


def test_a_line_is_one_json_object_with_its_fields():
    assert written(run_id="r1", state="running") == {
        "ts": "1970-01-01T00:00:00.250Z",
        "level": "info",
        "event": "run_advanced",
        "logger": "bot.engine",
        "run_id": "r1",
        "state": "running",
    }


def test_a_field_cannot_overwrite_what_every_line_has():
    line = written(event="forged", level="debug")
    assert (line["event"], line["level"]) == ("run_advanced", "info")
    assert (line["event_"], line["level_"]) == ("forged", "debug")


def test_any_object_can_be_a_field():
    line = written(ids={"b"}, nested={"path": object}, ratio=float("nan"))
    assert line["ids"] == ["b"]
    assert line["ratio"] == "nan"
    assert "object" in str(line["nested"])


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token xoxb-12-34-abcDEF sent", "xoxb-12-34-abcDEF"),
        ("xapp-1-A1-2-deadbeef", "deadbeef"),
        ("xoxe.xoxp-1-Mi0yLWFi", "Mi0yLWFi"),
        ("https://hooks.slack.com/services/T01/B02/s3cr3tpath", "s3cr3tpath"),
        ("postgresql://bot:hunter2@db:5432/shop?x=1", "hunter2"),
        ("redis://:hunter2@cache", "hunter2"),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("host=db password=hunter2 user=bot", "hunter2"),
        ("https://x/?token=hunter2&a=1", "hunter2"),
        ("ghp_0123456789abcdefghij", "0123456789abcdefghij"),
    ],
)
def test_credentials_are_blanked_in_events_fields_and_exceptions(text, secret):
    error = ValueError(text)
    line = record(text, url=text, deep={"list": [text]}, exc_info=(ValueError, error, None))
    for formatter in (JsonFormatter(), ConsoleFormatter(colour=False)):
        shown = formatter.format(line)
        assert secret not in shown
        assert shown.count(REDACTED) >= 4


def test_what_surrounds_a_credential_stays_legible():
    assert redact("postgresql://bot:hunter2@db:5432/shop") == f"postgresql://{REDACTED}@db:5432/shop"
    assert (
        redact("https://example.com/a@b and 12:30 user@host") == "https://example.com/a@b and 12:30 user@host"
    )


def test_a_field_named_like_a_secret_is_blanked_whatever_it_holds():
    line = written(bot_token="plain", data={"password": "plain", "user": "ana"}, next_cursor="kept")
    assert line["bot_token"] == REDACTED
    assert line["data"] == {"password": REDACTED, "user": "ana"}
    assert line["next_cursor"] == "kept"


def test_a_value_cannot_forge_a_second_console_line_or_steer_the_terminal():
    shown = ConsoleFormatter(colour=False).format(record("typed", text="x\nERROR forged \x1b[31m"))
    assert "\n" not in shown
    assert "\x1b" not in shown


def test_colour_is_used_only_when_asked_for():
    assert "\033[" in ConsoleFormatter(colour=True).format(record())
    assert ConsoleFormatter(colour=False).format(record(run_id="r1")).endswith("run_id=r1")


@pytest.mark.usefixtures("_own_logging")
def test_chatty_libraries_are_heard_from_warning_on():
    out = io.StringIO()
    configure_logs(level="INFO", style="json", stream=out)
    logging.getLogger("httpx").info("every request")
    logging.getLogger("bot.engine").info("ours", extra={"n": 1})
    logging.getLogger("bot.engine").debug("too fine")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["ours"]


@pytest.mark.usefixtures("_own_logging")
def test_configuring_twice_writes_each_line_once():
    out = io.StringIO()
    configure_logs(level="INFO", style="json", stream=io.StringIO())
    configure_logs(level="INFO", style="console", stream=out)
    logging.getLogger("bot").warning("once")
    assert out.getvalue().count("once") == 1


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_one_valid_line(text):
    assert json.loads(JsonFormatter().format(record("e", text=text)))["event"] == "e"
