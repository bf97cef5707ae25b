#!/usr/bin/env python3
"""Tests of count-tests.py."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "count-tests.py"


def case(name, inside="", status="run", result="completed"):
    return f'<testcase name="{name}" status="{status}" result="{result}" classname="Suite">{inside}</testcase>'


def skipped(name, reason):
    return case(name, f'<skipped message="file.cc:1&#x0A;{reason}"><![CDATA[file.cc:1\n{reason}]]></skipped>',
                result="skipped")


class CountTests(unittest.TestCase):
    def count(self, *cases, **environment):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "some_test.xml").write_text(
                "<testsuites><testsuite name='Suite'>" + "".join(cases) + "</testsuite></testsuites>")
            known = {name: value for name, value in os.environ.items() if not name.startswith("SYNOD_")}
            ran = subprocess.run([sys.executable, SCRIPT, folder], env={**known, **environment}, capture_output=True,
                                 text=True)
            return ran.returncode, ran.stdout.splitlines()

    def test_adds_up(self):
        code, lines = self.count(case("a"), case("b", "<failure message='no'/>"), skipped("c", "SKIPPED: why"))
        self.assertEqual(code, 1)
        self.assertEqual(lines, ["SKIPPED some_test: Suite.c: why", "FAILED  some_test: Suite.b", "        no",
                                 "1 passed, 1 failed, 1 skipped"])

    def test_tells_how_the_first_failures_of_a_test_begin(self):
        long = "&#x0A;".join(["file.cc:1", "x" * 1000] + ["more"] * 50)
        lines = self.count(case("b", f"<failure message='{long}'/>" * 5))[1]
        self.assertEqual(lines[1], "        file.cc:1")
        self.assertEqual(lines[2], "        " + "x" * 300)
        self.assertEqual(len(lines), 1 + 2 * 8 + 1)

    def test_a_skip_is_no_failure_by_itself(self):
        self.assertEqual(self.count(case("a"), skipped("c", "SKIPPED: java is not here"))[0], 0)

    def test_a_skip_fails_where_none_is_allowed(self):
        code, lines = self.count(case("a"), skipped("c", "SKIPPED: java is not here"), SYNOD_NO_SKIPS="1")
        self.assertEqual(code, 1)
        self.assertIn("java is not here", lines[0])
        self.assertEqual(lines[-1], "1 passed, 1 failed, 0 skipped")

    def test_a_disabled_test_is_skipped(self):
        disabled = case("DISABLED_c", status="notrun", result="suppressed")
        self.assertEqual(self.count(case("a"), disabled)[1][-1], "1 passed, 0 failed, 1 skipped")
        self.assertEqual(self.count(case("a"), disabled, SYNOD_NO_SKIPS="1")[0], 1)

    def test_recordings_excuse_only_where_they_are_missing(self):
        needs = skipped("c", "SKIPPED: needs recordings/a.json in ../shared or $SYNOD_SHARED")
        with tempfile.TemporaryDirectory() as shared:
            self.assertEqual(self.count(case("a"), needs, SYNOD_NO_SKIPS="1", SYNOD_SHARED=shared)[0], 1)
            gone = shared + "/none"
            self.assertEqual(self.count(case("a"), needs, SYNOD_NO_SKIPS="1", SYNOD_SHARED=gone)[0], 0)

    def test_mounting_excuses_only_where_it_is_not_allowed(self):
        needs = skipped("c", "SKIPPED: mounting a small tmpfs needs root")
        with tempfile.TemporaryDirectory() as tools:
            for works in (True, False):
                for name in ("mount", "umount"):
                    tool = pathlib.Path(tools) / name
                    tool.write_text("#!/bin/sh\nexit " + ("0" if works else "1"))
                    tool.chmod(0o755)
                code, _ = self.count(case("a"), needs, SYNOD_NO_SKIPS="1", PATH=tools + ":" + os.environ["PATH"])
                self.assertEqual(code, 1 if works else 0)


unittest.main()
