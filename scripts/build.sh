#!/usr/bin/env bash
# Builds everything, or the named targets, into build/ (the release preset). Another preset: SYNOD_PRESET=asan scripts/build.sh
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${SYNOD_PRESET:-release}
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset" -- -j"$(nproc)" ${@+"$@"}
