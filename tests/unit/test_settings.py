"""The settings are read once, all their problems are told at once, and no secret is ever printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.errors import SettingsError
from bot.settings import Settings, load_settings, variable


def test_nothing_needs_to_be_set():
    settings = load_settings({})
    assert settings.slack_api_url == "https://slack.com/api/"
    assert (settings.lease_s, settings.watch_s) == (10, 600)


def test_an_empty_variable_counts_as_not_set():
    assert load_settings({"PILOTHOUSE_HTTP_PORT": ""}).http_port == 8080


def test_other_programs_variables_are_left_alone():
    assert load_settings({"PATH": "/bin", "PILOT": "1", "REDIS_URL": "nonsense"}) == Settings()


def test_making_settings_directly_reads_no_environment(monkeypatch):
    monkeypatch.setenv("PILOTHOUSE_HTTP_PORT", "9")
    assert Settings().http_port == 8080


def test_a_misspelt_name_is_an_error_that_suggests_the_nearest():
    with pytest.raises(SettingsError) as caught:
        load_settings({"PILOTHOUSE_REDIS_ULR": "redis://localhost"})
    assert str(caught.value) == (
        "PILOTHOUSE_REDIS_ULR is not a setting (did you mean `PILOTHOUSE_REDIS_URL`?)."
    )
    assert caught.value.code == "settings_invalid"


def test_a_name_in_lower_case_is_a_misspelt_one():
    with pytest.raises(SettingsError, match="did you mean `PILOTHOUSE_HTTP_PORT`"):
        load_settings({"pilothouse_http_port": "9"})


def test_all_problems_are_told_at_once_and_name_their_variables():
    environ = {
        "PILOTHOUSE_NO_SUCH": "x",
        "PILOTHOUSE_HTTP_PORT": "eighty",
        "PILOTHOUSE_LOG_FORMAT": "xml",
        "PILOTHOUSE_REDIS_URL": "localhost:6379",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    for name in environ:
        assert name in str(caught.value)
    assert "must start with redis://, rediss://, unix://" in str(caught.value)


def test_a_rejected_value_is_not_printed():
    with pytest.raises(SettingsError) as caught:
        load_settings({"PILOTHOUSE_REDIS_URL": "http://bot:hunter2@redis", "PILOTHOUSE_LEASE_S": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_secrets_are_not_printed():
    settings = load_settings(
        {
            "PILOTHOUSE_SLACK_BOT_TOKEN": "xoxb-hunter2",
            "PILOTHOUSE_WEBHOOK_TOKEN": "hunter2",
            "PILOTHOUSE_REDIS_URL": "redis://:hunter2@localhost",
        }
    )
    assert "hunter2" not in f"{settings!r} {settings}"
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-hunter2"


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().http_port = 1  # type: ignore[misc]


def test_several_runbook_folders_are_joined_like_a_path():
    settings = load_settings({"PILOTHOUSE_RUNBOOKS": "runbooks:/etc/ours"})
    assert settings.runbooks == (Path("runbooks"), Path("/etc/ours"))


def test_the_runbooks_that_ship_have_a_word_of_their_own():
    (shipped,) = load_settings({}).runbooks
    assert (shipped / "incident" / "triage.yaml").is_file()
    assert load_settings({"PILOTHOUSE_RUNBOOKS": "shipped:./shipped"}).runbooks == (shipped, Path("shipped"))


def test_the_api_url_ends_with_a_slash_so_that_method_names_can_follow():
    assert Settings(slack_api_url="http://localhost:7000/api").slack_api_url == "http://localhost:7000/api/"


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h/1", "unix:///run/redis.sock?db=2"])
def test_redis_may_be_reached_over_tcp_tls_or_a_socket(url):
    assert Settings(redis_url=url).redis_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [("lease_s", "0"), ("watch_s", "-1"), ("shards", "0"), ("http_port", "65536"), ("retention_days", "0")],
)
def test_a_number_out_of_range_is_an_error(name, value):
    with pytest.raises(SettingsError, match=variable(name)):
        load_settings({variable(name): value})


def test_socket_mode_needs_the_app_token_and_http_mode_the_signing_secret():
    with pytest.raises(SettingsError) as caught:
        Settings().require_slack()
    assert str(caught.value) == "PILOTHOUSE_SLACK_BOT_TOKEN and PILOTHOUSE_SLACK_APP_TOKEN must be set."
    with pytest.raises(SettingsError, match="PILOTHOUSE_SLACK_SIGNING_SECRET must be set"):
        Settings(slack_mode="http", slack_bot_token="xoxb-1").require_slack()
    Settings(slack_bot_token="xoxb-1", slack_app_token="xapp-1").require_slack()


@profile(deadline=None)
@given(st.dictionaries(st.sampled_from([variable(name) for name in Settings.model_fields]), st.text()))
def test_any_environment_gives_settings_or_a_settings_error(environ):
    found, refusal = None, ""
    try:
        found = load_settings(environ)
    except SettingsError as error:
        refusal = str(error)
    if refusal:
        assert [name for name in environ if name in refusal] != []
    else:
        assert isinstance(found, Settings)
        assert found.slack_mode == (environ.get(variable("slack_mode")) or Settings().slack_mode)
