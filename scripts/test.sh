#!/usr/bin/env bash
# Runs the tests, JOBS files at a time; a few that fail beside others are asked once more, alone, and named either way.
#
# Many tests look at real servers in real time, on machines that others use too.  A failure that goes away alone is
# a race in the code or a test that measures the machine: it is printed, to be mended, and does not fail the run.
set -uo pipefail
cd "$(dirname "$0")/.."

python=".venv/bin/python"
most=4 # more than that is no accident
failures=".pytest_cache/v/cache/lastfailed"

names() { "$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' "$failures"; }

rm -f "$failures"
"$python" -m pytest -n "${JOBS:-3}" --dist loadfile "$@" && exit 0
code=$?
[ -s "$failures" ] || exit "$code"
failed=$(names) || exit "$code"
if [ "$(wc -l <<<"$failed")" -gt "$most" ]; then
    exit "$code"
fi
printf '\n== asked once more, alone:\n%s\n' "$failed"
"$python" -m pytest --last-failed --last-failed-no-failures none "$@" || exit "$code"
printf '\n== failed beside others and passed alone, so mend them:\n%s\n' "$failed"
