#!/bin/sh
# Create .venv with everything in requirements.txt. Called by make; safe to run again.
#   sh tools/setup_venv.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

python=
for candidate in ${1:-python3 python3.13 python3.12 python3.11}; do
    if fits "$candidate"; then python=$candidate && break; fi
done
if [ -z "$python" ]; then
    echo "Python 3.11, 3.12 or 3.13: not found${1:+ as $1}. TensorFlow needs one of them." >&2
    echo "Install one (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python@3.12)," >&2
    echo "or name one: make PYTHON=/path/to/python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$python: its module venv is not installed. Debian, Ubuntu: sudo apt install python$version-venv" >&2
    exit 1
fi

echo "Setting up .venv with $("$python" --version): TensorFlow and Jupyter, about 2 GB on disk, once, 1 to 5 minutes."
if ! [ -x .venv/bin/python ] || ! fits .venv/bin/python; then
    rm -rf .venv
    "$python" -m venv .venv
fi
.venv/bin/python -m pip install --disable-pip-version-check --progress-bar on -q \
    -e . -c constraints.txt ||
    { echo "The set-up stopped (see above). Nothing is lost: the same command goes on from here." >&2; exit 1; }
touch .venv/.ready
echo "Set up .venv with $(.venv/bin/python -c 'from importlib.metadata import version as v
print("TensorFlow", v("tensorflow"), "and JupyterLab", v("jupyterlab"))')."
