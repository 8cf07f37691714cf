#!/usr/bin/env bash
# Run the tests of the whole shop, one at a time with nothing beside them; all others, JOBS at a time; then those in
# quarantine, one at a time.
#
# The tests that tests/quarantine.toml lists, because they measure the machine, run apart: their results are counted
# and printed, and do not decide.  Until ten whole runs in a row have passed on a busy machine, up to four other failures
# are asked once more, alone, and named either way (docs/adr/0017).
set -uo pipefail
cd "$(dirname "$0")/.."

python=".venv/bin/python"

most=4
failures=".pytest_cache/v/cache/lastfailed"
names() { "$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1]))))' "$failures"; }

rm -f "$failures"
none_there() { [ "$1" -eq 5 ] && echo 0 || echo "$1"; }

"$python" -m pytest -m demo --quarantine=leave-out "$@"
alone=$(none_there $?)
[ "$alone" -le 1 ] || exit "$alone"
"$python" -m pytest -m "not demo" -n "${JOBS:-3}" --dist loadgroup --no-loadscope-reorder --quarantine=leave-out "$@"
code=$(none_there $?)
[ "$code" -ne 0 ] || code=$alone
if [ "$code" -ne 0 ]; then
    [ -s "$failures" ] || exit "$code"
    failed=$(names) || exit "$code"
    [ "$(wc -l <<<"$failed")" -le "$most" ] || exit "$code"
    printf '\n== asked once more, alone:\n%s\n' "$failed"
    "$python" -m pytest --last-failed --last-failed-no-failures none --quarantine=leave-out "$@" || exit "$code"
    printf '\n== failed beside others and passed alone; each needs a fix:\n%s\n' "$failed"
fi

printf '\n== in quarantine (tests/quarantine.toml); what follows does not decide:\n'
"$python" -m pytest --quarantine=only "$@"
code=$?
case "$code" in
    0 | 1 | 5) printf '== in quarantine: see the counts above\n' ;; # passed, failed, none there
    *) exit "$code" ;;                                              # the run itself was broken
esac
