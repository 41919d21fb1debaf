#!/usr/bin/env bash
# All that is to be known of a GPU, in at most six minutes: whether the program is right on it, and how fast it is.
#
#   bash tests/benchmarks/gpu.sh [FOLDER_OF_WHEELS]
#   bash tests/benchmarks/gpu.sh --wheels              says what to bring along to a machine that can fetch nothing
#   GPU_DEVICE=cpu GPU_SMALL=1 bash tests/benchmarks/gpu.sh    the same on the CPU with little to do, to try it
#
# Needs a Python with torch (2.11 or later) and numpy, which PYTHON names (python3 otherwise); the other packages from
# the folder of wheels, where they are not installed. Writes gpu.json and gpu.txt to $OUT, or <date>-gpu.json and .txt
# to tests/benchmarks/results, after every part, so that what was measured stays whatever happens. Exit status: 0 all
# checks passed, 1 one did not, 2 it could not begin.
set -u
cd "$(dirname "$0")/../.." || exit 2
python=${PYTHON:-python3}

if [ "${1:-}" = "--wheels" ]; then
    cat <<'WORDS'
Beside torch and numpy it takes gymnasium, pydantic, safetensors and tomli-w, and what these depend on: cloudpickle,
farama-notifications, typing-extensions, pydantic-core, annotated-types and typing-inspection; some 4 MB in all.
For Python 3.12 on Linux, into a folder that travels along (git ignores build/):
  pip download --only-binary=:all: --python-version 3.12 --platform manylinux2014_x86_64 \
      --platform manylinux_2_17_x86_64 -d build/wheels 'gymnasium>=1.4,<1.5' pydantic safetensors tomli-w
  bash tests/benchmarks/gpu.sh build/wheels
WORDS
    exit 0
fi

if [ -n "${1:-}" ]; then
    [ -d "$1" ] || { echo "$1 is no folder of wheels." >&2; exit 2; }
    unpacked=$(mktemp -d)
    trap 'rm -rf "$unpacked"' EXIT
    for wheel in "$1"/*.whl; do
        case "$wheel" in */numpy-* | */torch-*) continue ;; esac # those of the machine fit it
        "$python" -m zipfile -e "$wheel" "$unpacked" || exit 2
    done
    export PYTHONPATH="$unpacked${PYTHONPATH:+:$PYTHONPATH}"
fi
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
"$python" -c "import torch, numpy, gymnasium, pydantic, safetensors, tomli_w" || {
    echo "Something is missing; 'bash tests/benchmarks/gpu.sh --wheels' says what to bring along." >&2
    exit 2
}
options=(--device "${GPU_DEVICE:-cuda}" --seconds "${GPU_SECONDS:-330}")
[ -n "${GPU_SMALL:-}" ] && options+=(--small)
[ -n "${OUT:-}" ] && options+=(--output "$OUT/gpu")
timeout 360 "$python" -m tests.benchmarks.gpu "${options[@]}"
status=$?
[ $status -eq 124 ] && { echo "Ended after six minutes; what had been measured is written." >&2; exit 1; }
exit $status
