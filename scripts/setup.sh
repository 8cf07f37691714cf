#!/usr/bin/env bash
# Makes .venv with the pinned packages and this checkout, editable; does nothing when it is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

least="3.11"
pins="requirements-dev.txt"
stamp=".venv/.set-up"

say() { printf '%s\n' "$*" >&2; }

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# A Python that is recent enough: $PYTHON if given, else what the shell finds first.
find_python() {
    local name
    for name in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 /usr/bin/python3}; do
        if command -v "$name" >/dev/null && is_recent "$name"; then
            command -v "$name"
            return
        fi
    done
    say "Python $least or newer is needed; install it, or name it: make setup PYTHON=/path/to/python3"
    exit 1
}

# What an installation depends on: the pins, what pyproject.toml says of the package, where it is, and Python.
fingerprint() { cat "$pins" pyproject.toml | cksum | tr ' ' '-' && pwd && "$1" -c 'import sys; print(sys.version)'; }

make_venv() {
    local python="$1"
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        scripts/install.sh python3-venv  # Debian keeps it in a package of its own
    fi
    "$python" -m venv --clear .venv
}

install_packages() {
    local install=(.venv/bin/python -m pip install -qq --disable-pip-version-check)
    if command -v uv >/dev/null; then
        install=(uv pip install --quiet --python .venv/bin/python)
    fi
    # The pins are everything there is: what a package asks for by itself (`coverage[toml]`, say) is not looked up anew.
    "${install[@]}" --no-deps --require-hashes -r "$pins"
    # They include the build backend, so that this needs no network.
    "${install[@]}" --no-deps --no-index --no-build-isolation --editable .
}

if [[ -x .venv/bin/python && -f $stamp && "$(fingerprint .venv/bin/python 2>/dev/null)" == "$(<"$stamp")" ]]; then
    exit 0
fi
if ! { is_recent .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    python="$(find_python)"
    say "Making .venv with $("$python" --version) …"
    make_venv "$python"
fi
say "Installing the pinned packages …"
install_packages
fingerprint .venv/bin/python >"$stamp"
say "Ready: .venv"
