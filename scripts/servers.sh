#!/usr/bin/env bash
# Makes sure that the servers of the demo and the tests are installed; does nothing when they are.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

missing=()
for program in haproxy prometheus prometheus-alertmanager chromium podman runc; do
    command -v "$program" >/dev/null || missing+=("$program")  # each is in the package of its name
done
command -v mariadbd >/dev/null || missing+=(mariadb-server-core mariadb-client-core)  # these start no daemon
command -v systemd-analyze >/dev/null || missing+=(systemd)  # checks the units; nothing is started
((${#missing[@]} == 0)) || scripts/install.sh "${missing[@]}"
