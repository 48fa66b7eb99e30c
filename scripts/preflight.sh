#!/bin/sh
# Says in one line what keeps `make setup` from working.
#   preflight.sh PYTHON          before anything is installed: is this Python new enough, is there a compiler?
#   preflight.sh --failed LOG PYTHON    after pip failed: the likely reason, from its log
set -u

stop() {
    echo "setup: $1" >&2
    exit 1
}

if [ "${1:-}" = "--failed" ]; then
    log=$2
    # pip does not always say that it reached nothing: it may report that no version satisfies the constraints.
    if ! "$3" -m pip index versions pip >/dev/null 2>&1; then
        stop "no package registry can be reached: connect to a network, or point pip at a mirror (details: $log)"
    fi
    if grep -q 'CMAKE_CXX_COMPILER' "$log"; then
        stop "the C++ compiler does not work: install g++ or clang (details: $log)"
    fi
    stop "pip failed: $(grep -E '^ERROR|error:' "$log" | tail -n 1) (details: $log)"
fi

python=${1:-python3}
command -v "$python" >/dev/null 2>&1 || stop "no $python: install Python 3.11 or newer, or name one: make setup PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$("$python" --version 2>&1) is too old: memtax needs 3.11 or newer; name one: make setup PYTHON=python3.12"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    stop "$python has no venv: install it (Debian: apt-get install python3-venv)"
for compiler in "${CXX:-c++}" g++ clang++; do
    command -v "$compiler" >/dev/null 2>&1 && exit 0
done
stop "no C++ compiler: install one (Debian: apt-get install g++; macOS: xcode-select --install)"
