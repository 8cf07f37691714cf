"""``pilothouse rank-alerts`` prints one line of JSON a case, from a file or from standard input."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
from pathlib import Path

import pytest

from bot.__main__ import main

ONE = {
    "nodes": ["web-0", "db-0"],
    "edges": [["web-0", "db-0"]],
    "metric_alerts": [["db-0", "cpu_usage", "up"]],
}
OTHER = {"nodes": ["web-0", "db-0"], "metric_alerts": [["web-0", "node-7", "mem_usage", "up"]]}


def test_the_instance_to_blame_is_printed_first(tmp_path, capsys):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(ONE))
    assert main(["rank-alerts", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == ["db-0", "web-0"]


def test_a_gzipped_list_gives_one_line_a_case(tmp_path, capsys):
    path = tmp_path / "cases.json.gz"
    path.write_bytes(gzip.compress(json.dumps([ONE, OTHER]).encode()))
    assert main(["rank-alerts", str(path)]) == 0
    assert [json.loads(line)[0] for line in capsys.readouterr().out.splitlines()] == ["db-0", "web-0"]


def incidents(*, broken):
    """``web-0`` always has its processor alert; once ``broken`` has its memory alert beside it."""
    usual = {"nodes": ["web-0", "db-0", "mail-0"], "metric_alerts": [["web-0", "cpu_usage", "up"]]}
    return [{**usual, "metric_alerts": [*usual["metric_alerts"], [broken, "mem_usage", "up"]]}, *[usual] * 20]


@pytest.mark.parametrize(("options", "blamed"), [([], "db-0"), (["--alone"], "web-0")])
def test_the_incidents_of_a_list_know_of_each_other_unless_they_must_not(tmp_path, capsys, options, blamed):
    listed = incidents(broken="db-0")
    for case in listed:
        case["log_alerts"] = [["web-0", "usual"]]
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(listed))
    assert main(["rank-alerts", str(path), *options]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])[0] == blamed


def test_earlier_incidents_may_be_in_a_file_of_their_own(tmp_path, capsys):
    now, *earlier = incidents(broken="mail-0")
    (tmp_path / "now.json").write_text(json.dumps(now))
    (tmp_path / "earlier.json.gz").write_bytes(gzip.compress(json.dumps(earlier).encode()))
    history = str(tmp_path / "earlier.json.gz")
    assert main(["rank-alerts", str(tmp_path / "now.json"), "--history", history]) == 0
    assert json.loads(capsys.readouterr().out)[0] == "mail-0"


def test_standard_input_is_read_and_reasons_are_given_on_request(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(ONE).encode())))
    assert main(["rank-alerts", "--why"]) == 0
    blamed, spared = json.loads(capsys.readouterr().out)
    assert blamed["instance"] == "db-0"
    assert blamed["score"] > spared["score"]
    assert blamed["reasons"]["resource"] > 0


@pytest.mark.parametrize("content", [b"no json", b"\x1f\x8bbroken"])
def test_what_cannot_be_ranked_is_told_in_words(tmp_path, capsys, content):
    path = tmp_path / "case"
    path.write_bytes(content)
    assert main(["rank-alerts", str(path)]) == 2
    assert "rank-alerts.md" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_told_in_words(tmp_path, capsys):
    assert main(["rank-alerts", str(tmp_path / "nowhere")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_the_example_of_the_reference_gives_what_is_printed_there(tmp_path, capsys):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "rank-alerts.md").read_text(encoding="utf-8")
    example, printed = re.findall(r"```json\n(.*?)```", page, flags=re.DOTALL)
    path = tmp_path / "case.json"
    path.write_text(example)
    assert main(["rank-alerts", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(printed)
