#!/usr/bin/env python3
"""Adds up GoogleTest's XML reports in a folder and prints `N passed, N failed, N skipped`; skips are named first."""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

folder = pathlib.Path(sys.argv[1])
passed, failed, skipped = 0, len(list(folder.glob("*.crashed"))), []
for report in sorted(folder.glob("*.xml")):
    if report.stat().st_size == 0:
        continue
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{report.stem}: {case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            failed += 1
            print("FAILED ", name)
        elif case.get("result") == "skipped" or case.find("skipped") is not None:
            skipped.append(name)
        elif case.get("status") == "run":
            passed += 1
for name in skipped:
    print("SKIPPED", name)
print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
sys.exit(1 if failed or passed == 0 else 0)
