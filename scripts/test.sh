#!/usr/bin/env bash
# Installs what is missing, builds, checks the house rules and runs all tests. Which tests failed stands just before the last
# line, which is `N passed, N failed, N skipped`. SYNOD_TEST_LIMIT: seconds that one test program may take (default 2700).
set -uo pipefail
cd "$(dirname "$0")/.."

scripts/install-packages.sh || exit 1
scripts/check-layers.py || exit 1
for checked in check_layers count_tests run_tests; do
  scripts/${checked}_test.py 2>&1 | tail -n 1
  [ "${PIPESTATUS[0]}" -eq 0 ] || exit 1
done
scripts/build.sh || exit 1

preset=${SYNOD_PRESET:-release}
build=build
[ "$preset" = release ] || build=build-$preset
scripts/run-tests.py "$build"
