#!/usr/bin/env bash
# Runs the test programs of a build folder, one after the other: scripts/run-tests.sh build. What scripts/test.sh does last.
set -uo pipefail

build=$1
limit=${SYNOD_TEST_LIMIT:-1500}
reports=$build/test-reports
rm -rf "$reports"
mkdir -p "$reports"

# One test program a folder. Each writes a report at its end; one that dies or hangs has none, and counts as a failure.
failures=0
for program in "$build"/*_test; do
  name=$(basename "$program")
  echo "== $name"
  began=$SECONDS
  # SIGKILL to who does not end on SIGTERM.
  timeout --kill-after=20 "$limit" "$program" --gtest_brief=1 --gtest_output="xml:$reports/$name.xml"
  status=$?
  took=$((SECONDS - began))
  echo "== $name: $took s"
  [ "$status" -eq 0 ] || failures=$((failures + 1))
  if [ "$status" -eq 124 ] || { [ "$status" -eq 137 ] && [ "$took" -ge "$limit" ]; }; then
    echo "== $name TOOK TOO LONG: ended after $limit s"
    echo "ended after $limit s" >"$reports/$name.crashed"
  elif [ ! -s "$reports/$name.xml" ]; then
    echo "== $name ENDED WITHOUT A REPORT: status $status"
    echo "ended without a report, status $status" >"$reports/$name.crashed"
  fi
done
"$(dirname "$0")/count-tests.py" "$reports"
counted=$?
[ "$failures" -eq 0 ] && [ "$counted" -eq 0 ]
