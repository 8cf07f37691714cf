"""What is read out of a diff."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.commits.case import Commit
from bot.diagnosis.commits.diffs import parse
from bot.diagnosis.commits.hazards import hazards
from bot.diagnosis.commits.settings_changed import numbers_changed, switches_changed
from bot.diagnosis.commits.tokens import stem, words
from bot.diagnosis.commits.wording import does
from tests.unit.diagnosis.commits.incidents import at


def changed(diff: str, *files: str) -> Commit:
    return Commit(sha="c", at=at(0), files=files or ("orders/a.go",), diff=diff)


def worst(diff: str, *files: str) -> tuple[str, float]:
    commit = changed(diff, *files)
    first = hazards(commit, parse(commit))[0]
    return first.kind, first.strength


@pytest.mark.parametrize(
    ("before", "after", "factor"),
    [
        ("ctx, cancel := context.WithTimeout(ctx, 5*time.Second)", "c, cancel := context.WithTimeout(c, 300*time.Millisecond)", 0.06),
        ("timeout: 30s", "timeout: 5m", 10),
        ("const maxConns = 50", "const maxConns = 10", 0.2),
        ("MAX_ENTRIES: int = 2_000", "MAX_ENTRIES: int = 500", 0.25),
        ("memory: 512Mi", "memory: 1Gi", 2),
        ('"pool_size": 20,', '"pool_size": 10,', 0.5),
        ("max.poll.records=500", "max.poll.records=50", 0.1),
    ],
)  # fmt: skip
def test_a_number_is_compared_by_its_name_in_one_unit(before, after, factor):
    (setting,) = numbers_changed(parse(changed(f"-{before}\n+{after}\n")))

    assert setting.factor == pytest.approx(factor)


def test_a_number_that_is_gone_has_no_factor():
    (setting,) = numbers_changed(parse(changed("-retry(attempts=5)\n+run()\n")))

    assert (setting.name, setting.before, setting.after, setting.factor) == ("attempts", 5, None, None)


@pytest.mark.parametrize(
    ("line", "written", "unit"),
    [
        ("timeout_ms: {}", ("300", "5"), "ms"),
        ("memory: {}Mi", ("300Mi", "5Mi"), "mi"),
        ("wait({} * time.Millisecond)", ("300 milliseconds", "5 milliseconds"), "milliseconds"),
        ("workers: {}", ("300", "5"), ""),
    ],
)
def test_a_number_is_told_with_its_unit(line, written, unit):
    (setting,) = numbers_changed(parse(changed(f"-{line.format(300)}\n+{line.format(5)}\n")))

    assert (setting.written, setting.unit) == (written, unit)


def test_what_stays_beside_a_change_is_read_but_not_as_a_change():
    diff = parse(changed("@@ -1,3 +1,3 @@ readinessProbe:\n   httpGet:\n-    port: 1\n+    port: 2\n"))

    assert (diff.near, diff.removed, diff.added) == (
        (" readinessProbe:", "httpGet:"),
        ("port: 1",),
        ("port: 2",),
    )


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        ("-max_conns: 50\n+max_conns: 10\n", "lowers max_conns from 50 to 10"),
        ("-retries: 2\n+retries: 20\n", "raises retries from 2 to 20"),
        ("-retry(attempts=5)\n-a()\n-b()\n+run()\n+c()\n", "takes out retry"),
        ("-enabled: true\n+enabled: false\n", "switches enabled over"),
        ("-defer rows.Close()\n+rows.Next()\n", "takes out close, defer"),
        ("-if user == nil {\n-  return\n-}\n", "takes out a check"),
        ("-if a < b {\n+if a > b {\n", "turns `if a < b {` into `if a > b {`"),
        ("-scope = a\n+scope = b\n", "changes who is let in"),
    ],
)
def test_what_a_commit_does_is_said_in_a_few_words(diff, said):
    commit = changed(diff)

    assert does(hazards(commit, parse(commit))[0]) == said


def test_a_switch_counts_only_where_both_sides_have_it():
    diff = parse(changed("-verify_tls: true\n+verify_tls: false\n+new_flag: true\n"))

    assert switches_changed(diff) == ["verify_tls"]


def test_lines_that_only_move_or_are_indented_are_no_change():
    diff = parse(changed("-    total += price\n-check(total)\n+check(total)\n+        total += price\n"))

    assert (diff.removed, diff.added) == ((), ())


def test_of_several_files_only_those_that_run_are_read():
    diff = "@@ web/a.css @@\n-  width: 80px;\n+  width: 8px;\n@@ web/pool.ts @@\n-  max: 80,\n+  max: 8,\n"

    assert parse(changed(diff, "web/a.css", "web/pool.ts")).removed == ("max: 80,",)


def test_comments_and_logging_break_nothing():
    diff = parse(
        changed('-// at most 50\n+// at most 5\n-log.Printf("took %d", 5)\n+logger.Info("took", "ms", 50)\n')
    )

    assert (diff.removed, diff.added) == ((), ())


@pytest.mark.parametrize(
    ("diff", "files", "kind"),
    [
        ("-timeout: 30s\n+timeout: 1s\n", ("docs/timeouts.md",), "silent"),
        ("-timeout: 30s\n+timeout: 1s\n", ("orders/retry_test.go",), "silent"),
        ("-requests==2.31.0\n+requests==2.31.1\n", ("requirements.txt",), "dependency"),
        ("", ("orders/a.go",), "unknown"),
        ("-total := 0\n-return total\n+return sumOf(order)\n+}\n+func sumOf(o Order) int {\n+return o.total\n", (), "neutral"),
        ("-limit: 100\n+limit: 10\n", (), "setting"),
        ("-defer rows.Close()\n+rows.Next()\n", (), "guard"),
        ("-if user == nil {\n-  return\n-}\n", (), "check"),
        ("+ALTER TABLE orders ADD COLUMN note text NOT NULL;\n", ("m/1.sql",), "schema"),
        ('+rows = db.query("SELECT 1 FROM gifts")\n', (), "table"),
        ("+time.sleep(5)\n+work()\n", (), "waits"),
        ("-if a < b {\n+if a > b {\n", (), "logic"),
        ("-enabled: true\n+enabled: false\n", (), "switch"),
        ("-x = 1.5 * rate\n+x = 1.5 * rate + 1\n", (), "edit"),
        ("-    find(user, tenant)\n+    find(user)\n", (), "dropped"),
        ("-var r Record\n+r := Record{}\n", (), "edit"),
        ("-with retrying(ServerError):\n+with retrying(AnyError):\n", (), "guarded"),
        ('-  cidr: "10.0.0.0/16"\n+  cidr: "10.0.0.0/24"\n', ("net.tf",), "network"),
        ('-  schedule: "0 3 * * *"\n+  schedule: "* 3 * * *"\n', ("cron.yaml",), "schedule"),
        ("-ORDER BY id\n+ORDER BY seen_at\n", ("list.sql",), "query"),
        ("-  path: /readyz\n+  path: /ready\n", ("probe.yaml",), "name"),
        ("-  path = base\n+  path = root\n", ("probe.py",), "edit"),
    ],
)  # fmt: skip
def test_a_hazard_is_known_by_what_the_diff_does(diff, files, kind):
    assert worst(diff, *files)[0] == kind


def test_the_direction_decides_how_dangerous_a_limit_is():
    lowered, raised = "-max_conns: 50\n+max_conns: 10\n", "-max_conns: 10\n+max_conns: 50\n"

    assert worst(lowered)[1] > 4 * worst(raised)[1]


def test_retries_are_dangerous_when_there_are_more_and_pauses_when_they_are_shorter():
    assert worst("-max_retries: 2\n+max_retries: 20\n")[1] >= 0.5
    assert worst("-poll_interval: 30s\n+poll_interval: 1s\n")[1] >= 0.9


def test_a_major_version_weighs_more_than_a_patch():
    major = worst('-"pg": "^8.1.0"\n+"pg": "^9.0.0"\n', "package.json")[1]
    patch = worst('-"pg": "^8.1.0"\n+"pg": "^8.1.1"\n', "package.json")[1]

    assert major >= 5 * patch


def test_words_of_code_and_of_prose_meet():
    assert {stem("retries"), stem("retrying")} == {stem("retry")}
    assert set(words("BatchWriteItem")) & set(words("batched writes")) == {stem("batch"), stem("write")}


@given(
    text=st.text("+-@=:(){}<>!\"'\n aA1_.*", max_size=80),
    files=st.lists(st.text("a/._-", max_size=8), max_size=3),
)
def test_no_diff_is_too_odd_to_be_read(text, files):
    commit = changed(text, *files)

    assert all(0 <= hazard.strength <= 1 for hazard in hazards(commit, parse(commit)))


@given(lines=st.lists(st.sampled_from(["a = 1", "limit: 5", "if x == nil {", "retry(3)"]), max_size=8))
def test_a_diff_and_its_reverse_have_what_comes_and_goes_exchanged(lines):
    there = parse(changed("".join(f"-{line}\n" for line in lines)))
    back = parse(changed("".join(f"+{line}\n" for line in lines)))

    assert (there.gone, there.come) == (back.come, back.gone)
