#!/usr/bin/env python3
"""Tests of check-layers.py."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "check-layers.py"
ROWS = ["| `base` | - | nothing |", "| `proto` | - | nothing |", "| `low` | - | base, proto |",
        "| `low/shell` | - | base, low |", "| `top` | - | everything |"]


class LayersTest(unittest.TestCase):
    def check(self, rows, **files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            head = ["| folder | what it is | may include |", "| --- | --- | --- |"]
            page = root / "docs" / "architecture.md"
            page.parent.mkdir()
            page.write_text("\n".join(["# Page", ""] + head + rows + ["", "| another | table |"]))
            for name, text in files.items():
                file = root / name.replace("__", "/")
                file = file.with_suffix(".cc")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            ran = subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)
            return ran.returncode, ran.stdout + ran.stderr

    def test_passes_what_points_down(self):
        code, said = self.check(ROWS, low__a='#include "base/x.h"\n#include "a.pb.h"\n#include "low/b.h"\n#include <map>\n',
                                low__shell__a='#include "low/a.h"\n', top__a='#include "low/shell/a.h"\n')
        self.assertEqual((code, said), (0, "layers: every include points the right way\n"))

    def test_names_the_line_that_points_up(self):
        code, said = self.check(ROWS, low__a='#include "base/x.h"\n#include "low/shell/a.h"\n')
        self.assertEqual(code, 1)
        self.assertIn("low/a.cc:2: low may not include low/shell (low/shell/a.h)", said)

    def test_a_folder_without_a_row_is_wrong(self):
        self.assertIn("new/a.cc: docs/architecture.md has no row", self.check(ROWS, new__a="")[1])

    def test_a_table_with_a_cycle_is_wrong(self):
        code, said = self.check(ROWS[:2] + ["| `low` | - | low/shell |", "| `low/shell` | - | low |"])
        self.assertEqual(code, 1)
        self.assertIn("not all arrows point down: low, low/shell", said)

    def test_a_layer_that_is_not_there_is_wrong(self):
        code, said = self.check(["| `low` | - | base |"])
        self.assertEqual(code, 1)
        self.assertIn("low may include base, which has no row", said)

    def test_a_page_without_the_table_is_wrong(self):
        self.assertEqual(self.check([])[0], 1)


unittest.main()
