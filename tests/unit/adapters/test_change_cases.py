"""Incidents read from a folder, and what ``rank-changes`` says of them."""

from __future__ import annotations

import gzip
import json

import pytest

from bot.__main__ import main
from bot.adapters.files.change_cases import ChangeCaseInvalidError, load_change_case

DIFF = (
    "--- a/pkg/db/pool.go\n+++ b/pkg/db/pool.go\n@@ -1,2 +1,2 @@\n-const maxConns = 50\n+const maxConns = 5\n"
)


@pytest.fixture
def folder(tmp_path):
    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())

    lines = [
        {"timestamp": f"2026-03-04T09:{m:02}:00Z", "service": "orders", "severity_text": "INFO", "msg": "ok"}
        for m in range(0, 60, 5)
    ]
    lines += [
        {
            "timestamp": f"2026-03-04T10:00:{s:02}Z",
            "service": "orders",
            "level": "error",
            "message": "pool exhausted",
            "pool.max": 5,
        }
        for s in range(0, 50, 5)
    ]
    write(
        "alert.json",
        json.dumps(
            {
                "service": "shop",
                "metric": "error_ratio",
                "fired_at": "2026-03-04T10:02:00Z",
                "summary": "shop fails",
            }
        ),
    )
    write(
        "context/commits.json",
        json.dumps(
            [
                {
                    "sha": "a" * 40,
                    "timestamp": "2026-03-04T09:40:00Z",
                    "message": "chore: tidy",
                    "files_changed": ["pkg/db/pool.go"],
                    "diff": DIFF,
                },
                {
                    "sha": "b" * 40,
                    "timestamp": "2026-03-04T09:50:00Z",
                    "message": "docs",
                    "files_changed": ["docs/a.md"],
                    "diff": None,
                },
            ]
        ),
    )
    write(
        "context/deploys.json",
        json.dumps(
            [
                {
                    "timestamp": "2026-03-04T09:45:00Z",
                    "service": "orders",
                    "commit_sha": "a" * 12,
                    "version": "v1",
                },
                {
                    "timestamp": "2026-03-04T09:55:00Z",
                    "service": "orders",
                    "commit_sha": "b" * 40,
                    "version": "v2",
                },
            ]
        ),
    )
    write("logs.ndjson.gz", "\n".join(map(json.dumps, lines)))
    write(
        "traces.json",
        json.dumps(
            [
                {
                    "trace_id": "t",
                    "span_id": "1",
                    "parent_id": None,
                    "service": "shop",
                    "name": "GET /",
                    "status": "ERROR",
                },
                {
                    "trace_id": "t",
                    "span_id": "2",
                    "parent_id": "1",
                    "service": "orders",
                    "name": "Load",
                    "status": "ERROR",
                },
            ]
        ),
    )
    return tmp_path


def test_the_command_names_the_commit_and_says_why(folder, capsys):
    assert main(["rank-changes", str(folder)]) == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["commit"], said["service"], said["ranked"][0]) == ("a" * 40, "orders", "a" * 40)
    assert said["candidates"][0]["does"] == ["maxConns from 50 to 5"]
    assert said["confidence"] >= 0.8


def test_a_folder_with_nothing_but_an_alert_blames_nobody(folder, capsys):
    for path in sorted(folder.rglob("*.*")):
        if path.name != "alert.json":
            path.unlink()

    assert main(["rank-changes", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["commit"] == "none"


def test_calls_know_who_called_them_even_when_the_trace_runs_in_a_circle(folder):
    spans = [
        {"trace_id": "t", "span_id": "1", "parent_id": "2", "service": "shop", "status": "OK"},
        {"trace_id": "t", "span_id": "2", "parent_id": "1", "service": "orders", "status": "ERROR"},
    ]
    (folder / "traces.json").write_text(json.dumps(spans))

    calls = load_change_case(folder).calls

    assert [(call.service, call.callers, call.depth) for call in calls] == [
        ("shop", ("orders",), 1),
        ("orders", ("shop",), 1),
    ]


@pytest.mark.parametrize("name", ["alert.json", "context/commits.json", "traces.json", "logs.ndjson.gz"])
def test_a_file_that_cannot_be_understood_is_refused_with_a_way_out(folder, name, capsys):
    (folder / name).write_bytes(b'{"service": 7')

    with pytest.raises(ChangeCaseInvalidError):
        load_change_case(folder)
    assert main(["rank-changes", str(folder)]) == 2
    assert "docs/reference/rank-changes.md" in capsys.readouterr().err


def test_a_folder_without_an_alert_is_refused(tmp_path):
    with pytest.raises(ChangeCaseInvalidError, match=r"alert\.json"):
        load_change_case(tmp_path)
