#!/usr/bin/env python3
"""Tests of run-tests.sh: what it makes of test programs that pass, fail, die and hang."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "run-tests.sh"

# A program writes its report where GoogleTest would.
BEGIN = """#!/bin/sh
for argument; do case $argument in --gtest_output=xml:*) report=${argument#--gtest_output=xml:};; esac; done
"""


def suite(*cases):
    body = "".join(f'<testcase name="{name}" status="run" result="completed" classname="Suite">{inside}</testcase>'
                   for name, inside in cases)
    return f"cat >$report <<END\n<testsuites time=\"1.5\"><testsuite>{body}</testsuite></testsuites>\nEND\n"


PROGRAMS = {
    "good_test": suite(("Works", "")),
    "bad_test": suite(("Works", ""), ("Breaks", "<failure/>")) + "exit 1\n",
    "crashing_test": "kill -SEGV $$\n",
    "hanging_test": "sleep 1000 & wait\n",
}


class RunTests(unittest.TestCase):
    def run_tests(self, *names):
        with tempfile.TemporaryDirectory() as build:
            for name in names:
                path = pathlib.Path(build) / name
                path.write_text(BEGIN + PROGRAMS[name])
                path.chmod(0o755)
            known = {name: value for name, value in os.environ.items() if not name.startswith("SYNOD_")}
            ran = subprocess.run([SCRIPT, build], env={**known, "SYNOD_TEST_LIMIT": "2"}, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
            return ran.returncode, ran.stdout.splitlines()

    def test_says_how_long_each_took(self):
        code, lines = self.run_tests("good_test")
        self.assertEqual(code, 0)
        self.assertRegex("\n".join(lines), r"== good_test: \d+ s")
        self.assertEqual(lines[-1], "1 passed, 0 failed, 0 skipped")

    def test_names_what_failed_at_the_end_and_does_not_hang(self):
        code, lines = self.run_tests("bad_test", "crashing_test", "good_test", "hanging_test")
        self.assertEqual(code, 1)
        self.assertIn("== hanging_test TOOK TOO LONG: ended after 2 s", lines)
        self.assertEqual(lines[-4:], ["FAILED  crashing_test: ended without a report, status 139",
                                      "FAILED  hanging_test: ended after 2 s", "FAILED  bad_test: Suite.Breaks",
                                      "2 passed, 3 failed, 0 skipped"])


unittest.main()
