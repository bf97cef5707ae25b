#!/usr/bin/env bash
# Installs what is missing, builds, checks the house rules and runs all tests. The last line is `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/.."

scripts/install-packages.sh || exit 1
scripts/check-layers.py || exit 1
scripts/count_tests_test.py 2>&1 | tail -n 1
[ "${PIPESTATUS[0]}" -eq 0 ] || exit 1
scripts/build.sh || exit 1

preset=${SYNOD_PRESET:-release}
build=build
[ "$preset" = release ] || build=build-$preset
reports=$build/test-reports
rm -rf "$reports"
mkdir -p "$reports"

# One test program a folder. Each writes a report; a program that dies without one counts as a failure.
failures=0
for program in "$build"/*_test; do
  name=$(basename "$program")
  echo "== $name"
  "$program" --gtest_brief=1 --gtest_output="xml:$reports/$name.xml" || failures=$((failures + 1))
  [ -s "$reports/$name.xml" ] || { echo "$name ended without a report"; : >"$reports/$name.crashed"; }
done
scripts/count-tests.py "$reports"
counted=$?
[ "$failures" -eq 0 ] && [ "$counted" -eq 0 ]
