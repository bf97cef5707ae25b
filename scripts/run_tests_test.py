#!/usr/bin/env python3
"""Tests of run-tests.py: what it makes of test programs that pass, fail, die and hang, and how it runs several."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "run-tests.py"

# A program writes its report where GoogleTest would.
BEGIN = """#!/bin/sh
for argument; do case $argument in --gtest_output=xml:*) report=${argument#--gtest_output=xml:};; esac; done
"""


def suite(*cases):
    body = "".join(f'<testcase name="{name}" status="run" result="completed" classname="Suite">{inside}</testcase>'
                   for name, inside in cases)
    return f"cat >$report <<END\n<testsuites time=\"1.5\"><testsuite>{body}</testsuite></testsuites>\nEND\n"


def meets(name, other):
    return (f"cd $(dirname $0); echo {name} began; touch {name}; until [ -e {other} ]; do sleep 0.05; done; "
            f"echo {name} ends\n")


PROGRAMS = {
    "good_test": suite(("Works", "")),
    "bad_test": suite(("Works", ""), ("Breaks", "<failure/>")) + "exit 1\n",
    "crashing_test": "kill -SEGV $$\n",
    "hanging_test": "sleep 1000 & wait\n",
    # Neither passes alone.
    "left_test": meets("left", "right") + suite(("Works", "")),
    "right_test": meets("right", "left") + suite(("Works", "")),
    "synod_e2e_test": suite(("Works", "")),
}


class RunTests(unittest.TestCase):
    def make(self, build, *names):
        for name in names:
            path = pathlib.Path(build) / name
            path.write_text(BEGIN + PROGRAMS[name])
            path.chmod(0o755)

    def run_tests(self, *names, limit=2, **environment):
        with tempfile.TemporaryDirectory() as build:
            self.make(build, *names)
            known = {name: value for name, value in os.environ.items() if not name.startswith("SYNOD_")}
            ran = subprocess.run([SCRIPT, build], env={**known, "SYNOD_TEST_LIMIT": str(limit), **environment}, stdout=subprocess.PIPE,
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

    def test_several_run_at_a_time_and_what_each_says_stays_together(self):
        code, lines = self.run_tests("left_test", "right_test", limit=300)
        self.assertEqual(code, 0)
        self.assertEqual(lines[-1], "2 passed, 0 failed, 0 skipped")
        for name in ("left", "right"):
            at = lines.index(f"== {name}_test")
            self.assertEqual(lines[at + 1:at + 3], [f"{name} began", f"{name} ends"])
            self.assertRegex(lines[at + 3], rf"== {name}_test: \d+ s")

    def test_as_many_run_as_one_asks_for_and_the_longest_begin_first(self):
        code, lines = self.run_tests("good_test", "synod_e2e_test", SYNOD_TEST_JOBS="1")
        self.assertEqual(code, 0)
        self.assertEqual([line for line in lines if line.startswith("== ") and not line.endswith(" s")],
                         ["== synod_e2e_test: begun", "== synod_e2e_test", "== good_test: begun", "== good_test"])

    def test_when_it_is_ended_its_programs_end(self):
        with tempfile.TemporaryDirectory() as build:
            self.make(build, "hanging_test")
            with subprocess.Popen([SCRIPT, build], stdout=subprocess.PIPE, text=True) as ran:
                self.assertEqual(ran.stdout.readline(), "== hanging_test: begun\n")
                ran.terminate()
                ran.communicate(timeout=300)
            self.assertEqual(ran.returncode, 143)


unittest.main()
