#!/bin/sh
# Makes .build/venv with everything of requirements.lock, and the panel's style sheets, scripts and
# compiled catalogues. Installs Python itself where it is missing and we may (root, or sudo without
# a password); says what to do where we may not.
set -eu
cd "$(dirname "$0")/../.."
venv=.build/venv
stamp=$venv/.made-from

may_install() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install() {
    may_install || return 1
    echo "· installing $*"
    as_root apt-get -qq update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "$@" >/dev/null
}

new_enough() {
    command -v "$1" >/dev/null && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$name"; then echo "$name"; return; fi
    done
    return 1
}

# What the panel needs beside its code; each does nothing when it is up to date.
panel() {
    "$venv/bin/python" -P web/assets.py
    "$venv/bin/python" -P web/catalogues.py compile
}

project() {
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps \
        --no-build-isolation -e .
    cksum <pyproject.toml >"$venv/.project-of"
}

want=$(cksum <requirements.lock)
if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
    [ "$(cat "$venv/.project-of")" = "$(cksum <pyproject.toml)" ] || project
    panel
    exit 0
fi

python=$(find_python) || { install python3 python3-venv && python=$(find_python); } || {
    echo "✗ Python 3.11 or newer is needed: install it (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
}
mkdir -p .build
rm -rf "$venv"
if ! "$python" -m venv "$venv" 2>.build/venv.log; then
    rm -rf "$venv"
    { install python3-venv && "$python" -m venv "$venv"; } || {
        echo "✗ $python cannot make a virtual environment, see .build/venv.log;" >&2
        echo "  on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "· installing Python packages into $venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
project
echo "$want" >"$stamp"
panel
