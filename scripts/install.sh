#!/usr/bin/env bash
# Installs Debian packages where that is allowed; else says in one line what to install.
#   scripts/install.sh PACKAGE…
set -euo pipefail

refuse() {
    printf 'Please install: %s\n' "$1" >&2
    exit 1
}

command -v apt-get >/dev/null || refuse "$* (this machine has no apt-get; look for packages of these names)"
if [[ $EUID -eq 0 ]]; then
    as_root=(env DEBIAN_FRONTEND=noninteractive)
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
    refuse "sudo apt-get install $*"
fi

# The servers are started by whoever needs them: a package must not start one of its own beside them.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

install_them() {
    "${as_root[@]}" apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >&2
}

printf 'Installing %s …\n' "$*" >&2
# The lists of a fresh machine are missing or old, and a mirror may fail once.
install_them "$@" 2>/dev/null ||
    { "${as_root[@]}" apt-get update --quiet >&2 || true; install_them "$@"; } ||
    { sleep 5; "${as_root[@]}" apt-get update --quiet >&2 || true; install_them "$@"; } ||
    refuse "$*"

# Nor at the next start of the machine.
if command -v systemctl >/dev/null; then
    for package in "$@"; do
        "${as_root[@]}" systemctl disable --quiet "$package" >/dev/null 2>&1 || true
    done
fi
