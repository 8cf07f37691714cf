"""Words after a command: what they mean, and what people are told when they mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.catalogue import Catalogue, Service
from bot.domain.durations import format_duration, parse_duration
from bot.domain.errors import BotError, UnknownServiceError, UsageError
from bot.domain.model import JsonValue
from bot.domain.runs.runbook import Runbook
from bot.engine.params import complete_params
from bot.services.parsing.command_line import parse_words, usage_of

PHASES = [{"id": "look", "kind": "explore", "steps": [{"id": "look", "probe": "x.y"}]}]
CATALOGUE = Catalogue(
    services=(
        Service(name="bank", external=True),
        Service(name="checkout", depends_on=("bank",)),
        Service(name="payments"),
    )
)
TRIAGE = Runbook.model_validate(
    {
        "name": "triage",
        "summary": "s",
        "params": {
            "service": {"type": "service", "required": True},
            "since": {"type": "duration", "default": 1800},
        },
        "phases": PHASES,
    }
)
DEPLOY = Runbook.model_validate(
    {
        "name": "canary",
        "summary": "s",
        "params": {
            "service": {"type": "service", "required": True},
            "version": {"required": True},
            "percent": {"type": "integer", "default": 5},
            "reason": {},
            "dry_run": {"type": "boolean", "default": False},
        },
        "phases": PHASES,
    }
)


def triage(text: str) -> dict[str, JsonValue]:
    return parse_words(TRIAGE, text, catalogue=CATALOGUE)


CASE = json.loads(
    (Path(__file__).parents[2] / "data/cases/22-slack-zero-width/texts.json").read_text("utf-8")
)
HIDDEN = "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2066\u2069\ufeff\u00ad\u061c\u180e\u3164"


@pytest.mark.parametrize("text", CASE)
def test_what_nobody_can_see_around_a_service_makes_no_difference(text):
    assert triage(text)["service"] == "payments"


@given(st.data())
def test_invisible_characters_are_dropped_from_every_word(data):
    text = "checkout 1.5.0 percent 10 reason 'two words' dry_run yes"
    text = text.replace("'", '"')
    for place in sorted(data.draw(st.lists(st.integers(0, len(text)))), reverse=True):
        text = text[:place] + data.draw(st.sampled_from(HIDDEN)) + text[place:]
    found = parse_words(DEPLOY, text, catalogue=CATALOGUE)
    assert found == {
        "service": "checkout",
        "version": "1.5.0",
        "percent": 10,
        "reason": "two words",
        "dry_run": True,
    }


@pytest.mark.parametrize("text", ["chekout\u200b", "\u2060chekout."])
def test_an_unknown_service_is_named_as_people_see_it(text):
    with pytest.raises(
        UnknownServiceError, match=r"Unknown service `chekout\.?` \(did you mean `checkout`\?\)"
    ):
        triage(text)


def test_a_full_stop_within_a_name_stays():
    catalogue = Catalogue(services=(Service(name="web"), Service(name="web-2")))
    assert [catalogue.named(word) for word in ("WEB.", "web-2,", "web.2", "")] == ["web", "web-2", "", ""]


@pytest.mark.parametrize(
    "text",
    [
        "checkout since 90m",
        "  checkout   since 1h30m ",
        "since 90m checkout",
        "checkout since=90m",
        'checkout since="90m"',
        "checkout --since 90m",
        "checkout --since=90m",
        "checkout —since 90m",
        "checkout Since 90M",
        "Checkout since “90m”",
        "`checkout` since ‘90m’",  # noqa: RUF001  # what phones write
        "*checkout* since 90m",
        "service checkout since 5400s",
        "<http://checkout|checkout> since 90m",
        "checkout\u00a0since\n90m",
    ],
)
def test_one_wish_can_be_written_in_many_ways(text: str) -> None:
    assert triage(text) == {"service": "checkout", "since": 5400.0}


def test_what_is_not_said_has_its_default() -> None:
    assert triage("payments") == {"service": "payments", "since": 1800.0}


def test_required_words_come_in_the_order_of_the_runbook() -> None:
    given = parse_words(DEPLOY, 'checkout 1.4.2 reason "too slow" --dry-run', catalogue=CATALOGUE)
    assert given == {
        "service": "checkout",
        "version": "1.4.2",
        "percent": 5,
        "reason": "too slow",
        "dry_run": True,
    }


def test_a_yes_or_no_word_takes_an_answer_or_stands_alone() -> None:
    for text, answer in (("dry_run no", False), ("dry-run yes percent 7", True), ("dry_run percent 7", True)):
        assert parse_words(DEPLOY, f"checkout 1 {text}", catalogue=CATALOGUE)["dry_run"] is answer


def test_a_mention_becomes_the_name_that_the_person_saw() -> None:
    text = "checkout 1 reason <@U0ANA00001|ana>"
    assert parse_words(DEPLOY, text, catalogue=CATALOGUE)["reason"] == "@ana"
    text = "checkout 1 reason <#C012345|deploys>"
    assert parse_words(DEPLOY, text, catalogue=CATALOGUE)["reason"] == "#deploys"
    text = "checkout <https://example.com/v1>"
    assert parse_words(DEPLOY, text, catalogue=CATALOGUE)["version"] == "https://example.com/v1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Which service?"),
        ("since 30m", "Which service?"),
        ("checkout since", "`since` needs a value after it."),
        ("checkout since 30", "`since`: `30` is not a valid duration"),
        ("checkout since 0s", "`since`: `0s` must be more than 0 s and at most 30 days"),
        ("checkout since 31d", "`since`: `31d` must be more than 0 s and at most 30 days"),
        ("checkout since yesterday", "`yesterday` is not a valid duration"),
        ("checkout sinse 30m", "I do not understand `sinse` (did you mean `since`?)"),
        ("checkout sinse=30m", "Unknown parameter `sinse` (did you mean `since`?)"),
        ("checkout --sinse 30m", "Unknown parameter `--sinse` (did you mean `since`?)"),
        ("checkout payments", "I do not understand `payments`"),
        ("checkout since 30m since 1h", "`since` is given twice"),
        ('checkout since "30m', "A quote is not closed"),
        ("x" * 2001, "at most 2000"),
    ],
)
def test_what_is_wrong_is_said_with_an_example(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        triage(text)
    assert said in str(caught.value)
    assert caught.value.hint.startswith("Try `/triage checkout since 30m`.")


def test_an_unknown_service_is_answered_with_the_nearest_and_the_catalogue() -> None:
    with pytest.raises(UnknownServiceError) as caught:
        triage("chekout since 30m")
    assert str(caught.value) == "Unknown service `chekout` (did you mean `checkout`?)."
    assert caught.value.hint == (
        "Try `/triage checkout since 30m`. The catalogue has `bank`, `checkout`, `payments`."
    )


def test_the_hint_names_what_was_typed() -> None:
    with pytest.raises(UsageError) as caught:
        parse_words(TRIAGE, "", catalogue=CATALOGUE, command="@pilothouse triage")
    assert caught.value.hint == "Try `@pilothouse triage checkout since 30m`."


def test_an_answer_repeats_little_of_what_was_typed_and_no_markup() -> None:
    with pytest.raises(UsageError) as caught:
        triage("checkout `x`" + "y" * 500)
    assert len(str(caught.value)) < 80
    assert "`x`" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("percent ten", "`percent` must be a whole number"),
        ("dry_run=maybe", "`dry_run` must be `yes` or `no`"),
    ],
)
def test_values_must_fit_their_type(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_words(DEPLOY, f"checkout 1 {text}", catalogue=CATALOGUE)


def test_usage_is_one_line() -> None:
    assert usage_of(TRIAGE, "/triage") == "`/triage <service> [since 30m]`"
    assert usage_of(DEPLOY, "/deploy canary") == (
        "`/deploy canary <service> <version> [percent 5] [reason <text>] [dry_run]`"
    )


def test_a_program_gives_parameters_by_name() -> None:
    given = {"service": "checkout", "since": "15m"}
    assert complete_params(TRIAGE, given, catalogue=CATALOGUE) == {"service": "checkout", "since": 900.0}
    assert complete_params(TRIAGE, {"service": "checkout"}, catalogue=CATALOGUE)["since"] == 1800.0


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"service": None},
        {"service": 5},
        {"service": "nobody"},
        {"service": "checkout", "sinse": 5},
        {"service": "checkout", "since": True},
        {"service": "checkout", "since": -1},
        {"service": "checkout", "since": float("nan")},
        {"service": "checkout", "since": []},
    ],
)
def test_a_program_that_gives_nonsense_is_refused(given: dict[str, JsonValue]) -> None:
    with pytest.raises(UsageError):
        complete_params(TRIAGE, given, catalogue=CATALOGUE)


@given(st.text(max_size=300))
def test_any_text_is_understood_or_refused_with_a_hint(text: str) -> None:
    for runbook in (TRIAGE, DEPLOY):
        for words in (text, f"checkout {text}"):
            try:
                params = parse_words(runbook, words, catalogue=CATALOGUE)
            except BotError as error:
                params = {"hint": error.hint}
            assert set(params) in ({"hint"}, set(runbook.params))
            assert params.get("hint") != ""


_TOKENS = st.sampled_from(
    [
        "checkout",
        "since",
        "30m",
        "--since",
        "since=",
        "=",
        '"',
        "“",
        "<@U1|a>",
        "<",
        "|",
        "`",
        "--",
        "dry_run",
        "1",
        "&lt;",
    ]
)


@given(st.lists(_TOKENS, max_size=8))
def test_any_mix_of_words_is_understood_or_refused(words: list[str]) -> None:
    for runbook in (TRIAGE, DEPLOY):
        try:
            params = parse_words(runbook, " ".join(words), catalogue=CATALOGUE)
        except BotError:
            continue
        assert params["service"] in CATALOGUE.names


@given(st.integers(1, 30 * 86_400))
def test_a_duration_survives_being_written_and_read(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
