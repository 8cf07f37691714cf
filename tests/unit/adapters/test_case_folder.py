"""Reading a recorded case from a folder, and the command that ranks it."""

import gzip
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from bot.__main__ import main
from bot.adapters.files.case_folder import CaseUnreadableError, read_case


def write(folder, *, metrics: str, about: dict | None = None, **files: str):
    columns = [{"column": "web_cpu", "service": "web", "metric": "cpu_percent"}]
    known = {"columns": columns, "topology": {"edges": [["web", "db"]]}, "alert": {"service": "web"}}
    (folder / "case.json").write_text(json.dumps(known | (about or {})), encoding="utf-8")
    for name, text in {"metrics": metrics, **files}.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8") as file:
            file.write(text)
    return folder


def ordinary_then_busy() -> str:
    rows = [f"{60 * i},{10 + i % 3}" for i in range(30)] + [f"{60 * i},96" for i in range(30, 33)]
    return "time,web_cpu\n" + "\n".join(rows) + "\n"


def test_an_empty_cell_is_a_missing_sample_and_no_zero(tmp_path):
    case = read_case(write(tmp_path, metrics="time,web_cpu\n60,\n0,3\n"))
    assert case.times_s.tolist() == [0, 60]
    assert case.values[0, 0] == 3
    assert math.isnan(case.values[1, 0])
    assert (case.calls, case.alerting) == ((("web", "db"),), "web")


def test_what_is_infinite_is_a_missing_sample(tmp_path):
    case = read_case(write(tmp_path, metrics="time,web_cpu\n0,-inf\n60,inf\n120,NaN\n180,4\n"))
    assert np.isnan(case.values[:, 0]).tolist() == [True, True, True, False]


def test_spans_and_lines_are_read_where_they_are(tmp_path):
    spans = (
        "time,service,operation,parent_service,n,p50_ms,p90_ms,max_ms,lag_start_p50_ms,lag_end_p50_ms\n"
        "10,db,SELECT,web,4,1.5,2,9,0.5,\n"
    )
    logs = 'time_ms,service,level,message\n10500,db,error,"said, and done"\n'
    case = read_case(write(tmp_path, metrics="time,web_cpu\n0,3\n", spans=spans, logs=logs))
    (bucket,), (line,) = case.spans, case.lines
    assert (bucket.count, bucket.lag_start_ms, bucket.lag_end_ms) == (4, 0.5, None)
    assert (line.time_s, line.level, line.message) == (10.5, "ERROR", "said, and done")
    assert case.services == ("db", "web")


@pytest.mark.parametrize("metrics", ["", "time,web_cpu\n0,much\n", "web_cpu\n3\n", "time,web_cpu\n0,1,2\n"])
def test_what_is_no_case_is_refused_by_name(tmp_path, metrics):
    with pytest.raises(CaseUnreadableError):
        read_case(write(tmp_path, metrics=metrics))


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    folder = write(tmp_path, metrics=ordinary_then_busy())
    path = folder / "metrics.csv.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(CaseUnreadableError):
        read_case(folder)


@pytest.mark.parametrize("onset", [["1800"], [""], []])
def test_the_command_prints_services_metrics_and_confidence(tmp_path, capsys, onset):
    write(tmp_path, metrics=ordinary_then_busy())
    assert main(["rank", str(tmp_path), *onset]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["services"][0][0] == "web"
    assert said["metrics"][0][:2] == ["web", "cpu_percent"]
    assert 0 <= said["confidence"] <= 1
    assert said["evidence"][0]["kind"] == "cpu_high"


def test_an_onset_that_is_no_moment_is_refused(tmp_path, capsys):
    write(tmp_path, metrics=ordinary_then_busy())
    assert main(["rank", str(tmp_path), "yesterday"]) != 0
    assert "yesterday" in capsys.readouterr().err


def test_the_command_does_not_wait_for_what_only_the_others_import(tmp_path):
    write(tmp_path, metrics=ordinary_then_busy())
    asked = (
        "import sys; from bot.__main__ import main; main(sys.argv[1:]); print('slack_bolt' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, "rank", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
