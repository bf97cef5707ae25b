#!/usr/bin/env python3
"""Runs the test programs of a build folder side by side: scripts/run-tests.py BUILD. What scripts/test.sh does last.

What a program prints is shown in one piece when it ends; until then it stands in BUILD/test-reports/PROGRAM.log.
SYNOD_TEST_JOBS: how many run at the same time (default: as many as there are processors; the long ones wait for engines
half of the time).
SYNOD_TEST_LIMIT: seconds that one program may take (default 2700).
"""
import concurrent.futures
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

# They begin first, so that none of them is left alone at the end.
LONGEST = ["synod_ordering_conformance_test", "synod_e2e_test", "synod_sim_test"]

LIMIT = int(os.environ.get("SYNOD_TEST_LIMIT") or 2700)
JOBS = int(os.environ.get("SYNOD_TEST_JOBS") or len(os.sched_getaffinity(0)))

running = set()
interrupted = threading.Event()
printing = threading.Lock()


def tell(*parts):
    """Lines, and files as they are; nobody else's in between."""
    with printing:
        for part in parts:
            if isinstance(part, pathlib.Path):
                with open(part, "rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
            else:
                print(part, flush=True)
        sys.stdout.flush()


def end(process):
    """SIGKILL to who does not end on SIGTERM, and to what it leaves of its group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def run(program, reports):
    """Whether it passed. A program writes a report at its end; one that dies or hangs has none, or none to trust."""
    if interrupted.is_set():
        return False
    name, report = program.name, reports / f"{program.name}.xml"
    began = time.monotonic()
    too_long = False
    tell(f"== {name}: begun")
    with open(reports / f"{name}.log", "wb") as log:
        process = subprocess.Popen([program.resolve(), "--gtest_brief=1", f"--gtest_output=xml:{report.resolve()}"],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        running.add(process)
        if interrupted.is_set():
            end(process)
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            too_long = True
            end(process)
        running.discard(process)
    said, crashed = [f"== {name}: {time.monotonic() - began:.0f} s"], reports / f"{name}.crashed"
    if too_long:
        said.append(f"== {name} TOOK TOO LONG: ended after {LIMIT} s")
        crashed.write_text(f"ended after {LIMIT} s\n")
    elif not report.exists() or report.stat().st_size == 0:
        # As a shell says it: 128 and the signal.
        status = process.returncode if process.returncode >= 0 else 128 - process.returncode
        said.append(f"== {name} ENDED WITHOUT A REPORT: status {status}")
        crashed.write_text(f"ended without a report, status {status}\n")
    tell(f"== {name}", reports / f"{name}.log", *said)
    return process.returncode == 0 and not too_long


def stop(number, frame):
    interrupted.set()
    for process in list(running):
        end(process)
    sys.exit(128 + number)


def main():
    build = pathlib.Path(sys.argv[1])
    reports = build / "test-reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    programs = sorted(build.glob("*_test"),
                      key=lambda program: (LONGEST.index(program.name) if program.name in LONGEST else len(LONGEST),
                                           program.name))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        runs = [pool.submit(run, program, reports) for program in programs]
        # Python sees a signal only between two steps of this thread: it must not wait for ever for one of the others.
        while concurrent.futures.wait(runs, timeout=1).not_done:
            pass
        passed = [one.result() for one in runs]
    counted = subprocess.run([pathlib.Path(__file__).with_name("count-tests.py"), reports])
    sys.exit(0 if all(passed) and counted.returncode == 0 else 1)


main()
