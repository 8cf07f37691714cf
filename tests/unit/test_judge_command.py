"""``pilothouse judge``: any data in, a verdict out."""

from __future__ import annotations

import io
import json

import pytest

from bot.__main__ import main

GOOD = {"kind": "limit", "name": "cpu", "unit": "cores", "values": [0.5], "at_most": 0.9, "query": "max(cpu)"}


@pytest.fixture
def judge(monkeypatch, capsys):
    def call(given, *options):
        text = given if isinstance(given, str) else json.dumps(given)
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main(["judge", *options])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


@pytest.mark.parametrize(
    ("value", "code", "decision"),
    [(0.5, 0, "proceed"), (2.0, 1, "stop"), (None, 3, "ask"), ("NaN", 3, "ask")],
)
def test_the_exit_code_is_the_decision(judge, value, code, decision):
    got, out, _ = judge({"metrics": [GOOD | {"values": [value]}]}, "--json")
    assert (got, json.loads(out)["decision"]) == (code, decision)


def test_people_read_the_decision_first_and_the_query_last(judge):
    _, out, _ = judge({"metrics": [GOOD]})
    assert out.splitlines()[0] == "PROCEED"
    assert "    0.5 cores, at most 0.9 cores; 0 of 1 values are outside" in out
    assert out.splitlines()[-1] == "    query: max(cpu)"
    assert "\033" not in out


def test_a_terminal_gets_colours_unless_it_wants_none(judge, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert judge({"metrics": [GOOD]})[1].startswith("\033[32mPROCEED\033[0m")
    monkeypatch.setenv("NO_COLOR", "")
    assert judge({"metrics": [GOOD]})[1].startswith("PROCEED")


def test_traffic_that_is_too_sparse_is_warned_of(judge):
    traffic = {"requests_per_s": 1, "error_share": 0.005, "canary_share": 0.1, "window_s": 600}
    _, out, _ = judge({"metrics": [GOOD], "traffic": traffic})
    assert "Traffic is too sparse" in out
    _, out, _ = judge({"metrics": [GOOD], "traffic": traffic}, "--json")
    assert json.loads(out)["forecast"]["enough"] is False


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ({"metrics": [GOOD, GOOD | {"name": "b", "values": [1, "x"]}]}, "metrics[1].values[1]: "),
        ({"metrics": [GOOD | {"att_most": 1}]}, "metrics[0].att_most: "),
        ({"metrics": [{"kind": "counts", "name": "e", "looks": [{"canary": {"requests": -1}, "stable": {}}]}]},
         "metrics[0].looks[0].canary.requests: "),
        ({"metrics": [GOOD | {"kind": "guess"}]}, "metrics[0]: "),
        ({"metrics": [GOOD], "policy": {"ask_at": 200}}, "policy.ask_at: "),
        ({"metrics": []}, "metrics: "),
        ("{", "input: "),
    ],
)  # fmt: skip
def test_a_bad_field_is_named_by_its_path(judge, bad, problem):
    code, out, err = judge(bad)
    assert (code, out) == (2, "")
    assert any(line.startswith(problem) for line in err.splitlines()), err
    assert "docs/reference/judge.md" in err


def test_a_bad_item_is_told_once(judge):
    _, _, err = judge({"metrics": [GOOD | {"values": ["x"]}]})
    assert [line for line in err.splitlines() if line.startswith("metrics")] == [
        "metrics[0].values[0]: Input should be a valid number"
    ]


def test_of_very_many_problems_only_some_are_shown(judge):
    _, _, err = judge({"metrics": [GOOD | {"values": ["x"] * 100}]})
    assert "and 80 more" in err
