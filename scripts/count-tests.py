#!/usr/bin/env python3
"""Adds up GoogleTest's XML reports in a folder and prints `N passed, N failed, N skipped`.

Before that: what was skipped, the programs that took longest, and at last what failed, with the beginning of what was expected
and came instead (all of it stands in the program's own output). A file PROGRAM.crashed says why a program has no report, or
none to trust.

With SYNOD_NO_SKIPS=1, as in CI, a skipped test counts as failed, unless what it lacks cannot be had here: recordings in
../shared where that folder is missing, or a file system of its own where this machine does not let us mount one.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

TOLD_FAILURES, TOLD_LINES, TOLD_WIDTH = 2, 8, 300

ROOT = pathlib.Path(__file__).resolve().parent.parent


def shared_is_here():
    return pathlib.Path(os.environ.get("SYNOD_SHARED") or ROOT.parent / "shared").is_dir()


def mounts_work():
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True)
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return mounted.returncode == 0


def excused(reason):
    if "../shared" in reason:
        return not shared_is_here()
    if "mounting a small tmpfs" in reason:
        return not mounts_work()
    return False


def reason_of(case):
    skipped = case.find("skipped")
    if skipped is None:
        return ""
    lines = ((skipped.get("message") or "") + "\n" + (skipped.text or "")).splitlines()
    said = [line for line in lines if "SKIPPED: " in line] or lines
    return said[0].strip().removeprefix("SKIPPED: ")


def told(case):
    """The first failures of a test, shortened: where only the end of a long output is kept, this is what is left."""
    messages = [failure.get("message") or "" for failure in case.findall("failure")][:TOLD_FAILURES]
    return ["        " + line[:TOLD_WIDTH] for message in messages for line in message.splitlines()[:TOLD_LINES]]


def main():
    folder = pathlib.Path(sys.argv[1])
    strict = os.environ.get("SYNOD_NO_SKIPS", "") not in ("", "0")
    passed, failed, skipped, seconds = 0, [], [], []
    for crash in sorted(folder.glob("*.crashed")):
        failed.append(f"{crash.stem}: {crash.read_text().strip() or 'ended without a report'}")
    for report in sorted(folder.glob("*.xml")):
        if report.stat().st_size == 0:
            continue
        try:
            root = ElementTree.parse(report).getroot()
        except ElementTree.ParseError:
            failed.append(f"{report.stem}: its report is broken off")
            continue
        seconds.append((float(root.get("time") or 0), report.stem))
        for case in root.iter("testcase"):
            name = f"{report.stem}: {case.get('classname')}.{case.get('name')}"
            disabled = case.get("status") != "run"
            if case.find("failure") is not None:
                failed.append("\n".join([name, *told(case)]))
            elif disabled or case.get("result") == "skipped" or case.find("skipped") is not None:
                reason = "disabled" if disabled else reason_of(case)
                if strict and not excused(reason):
                    failed.append(f"{name}: nothing may be skipped here, but: {reason}")
                else:
                    skipped.append(f"{name}: {reason}")
            else:
                passed += 1
    for name in skipped:
        print("SKIPPED", name)
    for time, name in sorted(seconds, reverse=True)[:10]:
        if time >= 10:
            print(f"{time:8.1f} s  {name}")
    for name in failed:
        print("FAILED ", name)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or passed == 0 else 0)


main()
