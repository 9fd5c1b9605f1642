#!/usr/bin/env python3
"""Runs the lit, unit and Python tests of a build folder and sums them up.

    build/venv/bin/python utils/run_tests.py --build build [--full]

The last line is "N passed, N failed"; the exit status is 0 only if nothing
failed. A skipped test is named with its reason, and counts as failed unless a
line of test/allowed-skips.txt is a part of that reason. Instructions that the
CPU lacks are emulated where test/Emulator has them; the lines before the last
one say which, and how many tests were skipped.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import unittest

from emulator import emulated_features

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Tally:
    """What passed, what failed, and what was skipped why."""

    def __init__(self, allowed):
        self.allowed = allowed
        self.passed = 0
        self.skipped = 0
        self.failed = []

    def skip(self, name, reason):
        accepted = any(part in reason for part in self.allowed)
        print(f"skipped{'' if accepted else ', which counts as failed'}: {name}: {reason}")
        if accepted:
            self.skipped += 1
        else:
            self.failed.append(name)


def skip_reason(output):
    """The features that lit says are missing."""
    for line in output.splitlines():
        if "unavailable features" in line or "unsupported features" in line:
            return line.strip()
    return output.strip().splitlines()[-1] if output.strip() else "no reason given"


def run_lit(build, tally, full):
    results = build / "lit.json"
    command = [sys.executable, "/usr/lib/llvm-22/bin/lit", "-s", "-v", "-o", str(results), str(build / "test")]
    if full:
        command += ["--param", "full=1"]
    results.unlink(missing_ok=True)
    subprocess.run(command)
    if not results.exists():
        tally.failed.append("lit did not run")
        return
    for test in json.loads(results.read_text())["tests"]:
        if test["code"] in ("PASS", "XFAIL", "FLAKYPASS"):
            tally.passed += 1
        elif test["code"] in ("UNSUPPORTED", "SKIPPED", "EXCLUDED"):
            tally.skip(test["name"], skip_reason(test["output"]))
        else:
            tally.failed.append(test["name"])


def is_plain(test):
    """Whether CTest labels the program as one that only has an exit status."""
    labels = [entry["value"] for entry in test.get("properties", []) if entry["name"] == "LABELS"]
    return any("plain" in value for value in labels)


def unit_programs(build):
    """The commands of the unit test programs, from CTest, and whether each is a plain one."""
    listing = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1"],
                             check=True, stdout=subprocess.PIPE).stdout
    return [(test["command"], is_plain(test)) for test in json.loads(listing)["tests"] if "command" in test]


def run_unit(build, tally):
    programs = unit_programs(build)
    if not programs:
        tally.failed.append("no unit tests were found")
    for command, plain in programs:
        name = pathlib.Path(command[0]).name
        if plain:
            status = subprocess.run(command).returncode
            if status:
                tally.failed.append(f"{name} (exit status {status})")
            else:
                tally.passed += 1
            continue
        results = build / f"{name}.json"
        results.unlink(missing_ok=True)
        status, reasons = run_googletest([*command, f"--gtest_output=json:{results}"])
        if not results.exists():
            tally.failed.append(f"{name} (exit status {status})")
            continue
        for suite in json.loads(results.read_text())["testsuites"]:
            for test in suite["testsuite"]:
                full = f"{suite['name']}.{test['name']}"
                count_unit(f"{name}: {full}", test, reasons.get(full, "no reason given"), tally)


def run_googletest(command):
    """Its exit status, and of each skipped test the reason, which older versions leave out of their results."""
    process = subprocess.run(command, text=True, errors="replace", stdout=subprocess.PIPE)
    reasons, current, skipped = {}, "", False
    for line in process.stdout.splitlines():
        if skipped:
            reasons[current] = line
        skipped = line.endswith(": Skipped")
        if line.startswith("[ RUN      ] "):
            current = line.removeprefix("[ RUN      ] ")
        elif not line.startswith(("[       OK ] ", "[----------]")) and line:
            print(line, flush=True)
    return process.returncode, reasons


def count_unit(name, test, reason, tally):
    if "failures" in test:
        tally.failed.append(name)
    elif test.get("result") == "SKIPPED":
        tally.skip(name, reason)
    else:
        tally.passed += 1


def run_python(tally):
    folder = ROOT / "test/Python"
    if not folder.is_dir():
        return
    suite = unittest.defaultTestLoader.discover(str(folder))
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    for test, reason in result.skipped:
        tally.skip(str(test), reason)
    bad = result.failures + result.errors
    tally.failed += [str(test) for test, _ in bad]
    tally.passed += result.testsRun - len(bad) - len(result.skipped)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--full", action="store_true", help="add the long tests")
    options = parser.parse_args()
    lines = (ROOT / "test/allowed-skips.txt").read_text().splitlines()
    tally = Tally([line.strip() for line in lines if line.strip() and not line.startswith("#")])
    build = options.build.resolve()
    os.environ["HALFTONE_BUILD"] = str(build)  # where the Python tests find the tools
    run_lit(build, tally, options.full)
    run_unit(build, tally)
    run_python(tally)
    for name in tally.failed:
        print(f"failed: {name}")
    emulated = emulated_features(build)
    print(f"emulated, for this CPU lacks them: {', '.join(emulated) or 'none'}")
    print(f"{tally.skipped} skipped")
    print(f"{tally.passed} passed, {len(tally.failed)} failed")
    sys.exit(bool(tally.failed))


if __name__ == "__main__":
    main()
