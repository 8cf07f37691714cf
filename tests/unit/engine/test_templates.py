"""Templates: what they yield, what they refuse, and how they say so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.diagnoses.diagnosis import Cause, CauseKind
from bot.domain.errors import TemplateError
from bot.domain.runs.run_states import PhaseState, StepState
from bot.templating.templates import (
    MAX_EXPRESSION,
    evaluate,
    expression_problems,
    problems,
    references,
    render,
    truth,
)

CAUSE = Cause(
    kind=CauseKind.BAD_RELEASE,
    service="checkout",
    summary="1.4 fails",
    confidence=0.9,
    began_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    data={"version": "1.4", "pid": 77, "weights": {"stable": 100}},
)
SCOPE: dict[str, object] = {
    "params": {"service": "checkout", "since": 1800.0, "items": ["a", "b"], "nothing": None},
    "cause": CAUSE,
}
KNOWN = {"params", "cause"}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ cause.data.version }}", "1.4"),
        ("  {{ cause.data.version }}\n", "1.4"),
        ("{{ cause.data.pid }}", 77),
        ("{{ params.since }}", 1800.0),
        ("{{ params.since > 60 }}", True),
        ("{{ params.nothing }}", None),
        ("{{ cause.data.weights }}", {"stable": 100}),
        ("{{ cause.kind }}", "bad_release"),
        ("{{ cause.began_at }}", "2026-01-02T03:04:05+00:00"),
        ("{{ [params.since, 3600] | max }}", 3600),
        ("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("{{ range(3) }}", [0, 1, 2]),
    ],
)
def test_a_lone_expression_yields_its_own_value(template: str, value: object) -> None:
    rendered = render(template, SCOPE)
    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("pid {{ cause.data.pid }}", "pid 77"),
        ("{{ params.service }}-{{ cause.data.version }}", "checkout-1.4"),
        ("for {{ params.since }} s", "for 1800 s"),
        ("for {{ params.since | duration }}", "for 30m"),
        ("at {{ 0.125 | percent }}", "at 12 %"),
        ("weights {{ cause.data.weights }}", 'weights {"stable": 100}'),
        ("is {{ params.since > 60 }}", "is true"),
        ("{{ params.items | join(', ') }}.", "a, b."),
        ("of {{ params.items | tojson }}", 'of ["a", "b"]'),
        ("line\n{{ params.service }}\n", "line\ncheckout\n"),
        ("a literal {{ '{{' }} in a text", "a literal {{ in a text"),
    ],
)
def test_a_text_with_expressions_stays_text(template: str, text: str) -> None:
    assert render(template, SCOPE) == text


@pytest.mark.parametrize("plain", ["", "up", 'rate(x{service="checkout"}[1m]) > 0', "100 %}", 5, None, True])
def test_what_holds_no_template_is_unchanged(plain: str | float | None) -> None:
    assert render(plain, {}) == plain


def test_templates_are_filled_in_at_any_depth() -> None:
    value = {"a": ["{{ params.service }}", {"b": "{{ cause.data.pid }}"}], "c": 1}
    assert render(value, SCOPE) == {"a": ["checkout", {"b": 77}], "c": 1}


def test_a_value_that_looks_like_a_template_is_not_filled_in_again() -> None:
    assert render("{{ params.x }}", {"params": {"x": "{{ cause }}"}}) == "{{ cause }}"


def test_a_key_called_like_a_method_of_dict_is_the_key() -> None:
    assert evaluate("params.items", SCOPE) == ["a", "b"]


def test_a_default_works_at_any_depth() -> None:
    assert evaluate("cause.data.failover.service | default('none')", SCOPE) == "none"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ params.sevrice }}", "there is no `sevrice` (did you mean `service`?)"),
        ("{{ nobody.home }}", "nothing is called `nobody` here"),
        ("{{ cause.data.after.key }}", "there is no `after`"),
        ("x {{ params.nothing }}", "yields nothing"),
        ("{{ [params.sevrice] }}", "there is no `sevrice`"),
        ("{{ params.items[5] }}", "a list has no `5`"),
        ("{{ params.service.name }}", "a text has no `name`"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ params.service < 1 }}", "not supported"),
        ("{{ 1e400 }}", "inf"),
        ("{{ }}", "it holds no expression"),
        ("{{ params.service", "not closed"),
        ("{{ params. }}", "expected name or number"),
        ("{{ params.service }} {{ }", "`{{ params.service }} {{ }`"),
        ("{% for x in [1] %}{{ x }}{% endfor %}", "statements and comments are refused"),
        ("{# why #}", "statements and comments are refused"),
        ("{{ " + "a" * (MAX_EXPRESSION + 1) + " }}", "at most 500"),
        ("{{ " + "(" * 240 + "1" + ")" * 240 + " }}", "nested too deep"),
    ],
)
def test_what_cannot_be_filled_in_is_an_error_that_says_why(template: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, SCOPE)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ cause.__class__ }}",
        "{{ cause['__class__'] }}",
        "{{ cause.model_dump() }}",
        "{{ cause.model_copy }}",
        "{{ params.service.__class__.__mro__ }}",
        "{{ params.service.format(1) }}",
        "{{ ''['join'] }}",
        "{{ range.__globals__ }}",
        "{{ cause | attr('__class__') }}",
        "{{ params.items | map(attribute='__class__') | list }}",
        "{{ self }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler }}",
    ],
)
def test_only_data_can_be_read(attack: str) -> None:
    with pytest.raises(TemplateError):
        render(attack, SCOPE)


@pytest.mark.parametrize(
    "bomb",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ range(100000000) | list }}",
        "{{ range(1000) | join(range(1000) | join('aaaaaaaa')) }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ range(1000) | map('string') | join(range(1000) | join(' ')) }}",
        "{{ [" + ", ".join(["range(1000) | list"] * 25) + "] }}",
    ],
)
def test_a_small_template_cannot_yield_a_huge_value(bomb: str) -> None:
    with pytest.raises(TemplateError):
        render(bomb, SCOPE)


def test_a_result_of_more_than_twenty_thousand_characters_is_refused() -> None:
    scope = {"log": "x" * 19_990}
    assert len(str(render("> {{ log }}", scope))) == 19_992
    for template in ("{{ log }}{{ log }}", "{{ log ~ log }}", "{{ [log, log] }}"):
        with pytest.raises(TemplateError, match="20000"):
            render(template, scope)


def test_truth_is_strict_about_what_is_missing() -> None:
    assert truth("params.since > 60 and cause.kind == 'bad_release'", SCOPE)
    assert not truth("params.nothing", SCOPE)
    assert not truth("cause.data.failover is defined", SCOPE)
    with pytest.raises(TemplateError):
        truth("cause.data.failover", SCOPE)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("params.service | uper", "no filter is called `uper` (did you mean `upper`?)"),
        ("params.service is definde", "no test is called `definde` (did you mean `defined`?)"),
        ("parms.service", "nothing is called `parms` here (did you mean `params`?)"),
        ("1 if true else elsewhere.x", "nothing is called `elsewhere` here"),
        ("params.service.upper()", "only `range` can be called"),
        ("params.", "expected name or number"),
        ("a }} {{ b", "there is more after the expression"),
    ],
)
def test_problems_are_found_without_rendering(expression: str, said: str) -> None:
    found = expression_problems(expression, KNOWN)
    assert any(said in text for text in found), found


def test_problems_are_found_at_any_depth() -> None:
    value = {
        "deep": ["{{ parms.service }}", {"deeper": "at {{ params.service | uper }}"}],
        "open": "{{ params",
    }
    found = problems(value, KNOWN)
    assert len(found) == 3
    assert "did you mean `params`" in found[0]
    assert "did you mean `upper`" in found[1]
    assert "not closed" in found[2]


def test_a_sound_template_has_no_problems() -> None:
    assert problems({"a": ["{{ params.x | default(range(2) | list) }}", "no braces", 5]}, KNOWN) == []
    assert expression_problems("cause.data['version'] in params.items", KNOWN) == []


def test_references_are_paths() -> None:
    found = references(
        "params['a'].b + phases.x.steps.logs.result + (cause.data | first).y + a[b.c] + range(2)"
    )
    assert set(found) == {
        ("params", "a", "b"),
        ("phases", "x", "steps", "logs", "result"),
        ("cause", "data"),
        ("a",),
        ("b", "c"),
    }


def refusal(template: str) -> str:
    """What is said about a template that cannot be filled in; a template error is the only way to say it."""
    try:
        render(template, SCOPE)
    except TemplateError as error:
        return str(error)
    return "none"


@given(st.text(max_size=200))
def test_any_text_renders_or_is_refused_politely(text: str) -> None:
    for template in (text, "{{" + text + "}}", "{{ params." + text + " }}"):
        assert refusal(template)


@given(st.text(alphabet="{}%#() |.'\"[]+-*~,:=!<>abc019_ \n", max_size=60))
def test_any_punctuation_renders_or_is_refused_politely(text: str) -> None:
    for template in (text, "{{" + text + "}}"):
        assert refusal(template)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(max_size=20).filter(lambda t: "{" not in t),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(_JSON)
def test_data_passes_through_a_lone_expression_unchanged(value: object) -> None:
    assert render("{{ it.value }}", {"it": {"value": value}}) == value


def test_what_a_step_that_failed_would_have_found_is_missed_by_its_title_and_its_reason() -> None:
    step = StepState(
        id="stable",
        title="What serves now",
        outcome="unavailable",
        error="checkout has no target to deploy to.",
        hint="Give it one.",
    )
    scope = {"phases": {"look": PhaseState(id="look", steps={"stable": step})}}
    for template in (
        "{{ phases.look.steps.stable.result.data.version }}",
        "Back to {{ phases.look.steps.stable.result.data.version | upper }}",
    ):
        with pytest.raises(TemplateError) as failed:
            render(template, scope)
        assert str(failed.value) == (
            "What serves now has no result, because checkout has no target to deploy to."
        )
        assert failed.value.hint == "Give it one."
    assert evaluate("phases.look.steps.stable.result is none", scope) is True
    with pytest.raises(TemplateError, match="nothing"):
        evaluate("phases.look.steps.nothing.result.data", scope)
    with pytest.raises(TemplateError, match="nowhere"):
        evaluate("phases.nowhere.steps.stable.result.data", scope)
