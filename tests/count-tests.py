#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what ran, from the reports that meson writes: every sub-test of a TAP program is one.

Prints "N passed, N failed, N skipped" as its last line, and before it the names of what failed. Exits with 1 when
something failed or nothing ran. With --self-test MESON it counts a project of its own, as TAP.

The JUnit report has the sub-tests; it does not say that a program which had passed some was then killed, or took too
long. The JSON log beside it does, so such a program is one failure more.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

# Meson copies what tests print into the report, and XML forbids some of it.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BAD = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}


def count_cases(root):
    """Returns: passed, names of failed, skipped, and the programs that have a failed case."""
    passed, failed, skipped, programs = 0, [], 0, set()
    for suite in root.iter("testsuite"):
        for case in suite.iter("testcase"):
            # A suite is a TAP program, or the project with all programs that only have an exit code.
            program = suite.get("name").partition(".")[2] or case.get("name")
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(f"{program}: {case.get('name')}")
                programs.add(program)
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped, programs


def count(path):
    """Returns: passed, names of failed, skipped; of one testlog.junit.xml."""
    text = FORBIDDEN.sub("?", path.read_text(encoding="utf-8", errors="replace"))
    passed, failed, skipped, programs = count_cases(tree.fromstring(text.encode()))
    for line in path.with_name("testlog.json").read_text(encoding="utf-8", errors="replace").splitlines():
        run = json.loads(line)
        program = run["name"].partition(" / ")[2] or run["name"]
        if run["result"] in BAD and program not in programs:
            failed.append(f"{program}: {run['result']}")
            # Meson 1.0 lists a program that took too long among those that passed.
            passed -= run["result"] == "TIMEOUT" and not is_tap(path, program)
    return passed, failed, skipped


def is_tap(path, program):
    tests = json.loads((path.parent.parent / "meson-info" / "intro-tests.json").read_text())
    return any(test["protocol"] == "tap" and test["name"] == program for test in tests)


PLANTED = {
    "good": "print('1..3\\nok 1 a\\nok 2 b\\nok 3 c # SKIP no\\n# \\x01\\x1b[1m')",
    "bad": "print('1..2\\nok 1 a\\nnot ok 2 b')",
    "killed": "import os; print('1..2\\nok 1 a', flush=True); os.abort()",
    "slow": "import time; print('1..2\\nok 1 a', flush=True); time.sleep(60)",
    "exit-good": "",
    "exit-bad": "raise SystemExit(1)",
    "exit-slow": "import time; time.sleep(60)",
}
# good 2, bad 1, killed 1, slow 1, exit-good 1; bad, killed, slow, exit-bad, exit-slow; good 1
PLANTED_COUNT = (6, ["bad", "exit-bad", "exit-slow", "killed", "slow"], 1)


def self_test(meson):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        lines = ["project('planted')", "python = find_program('python3')"]
        for name, program in PLANTED.items():
            (root / f"{name}.py").write_text(program)
            protocol = "exitcode" if name.startswith("exit-") else "tap"
            lines.append(f"test('{name}', python, args: files('{name}.py'), protocol: '{protocol}', timeout: 2)")
        (root / "meson.build").write_text("\n".join(lines))
        for command in (["setup", root / "build", root], ["test", "-C", root / "build"]):
            subprocess.run([meson, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        passed, failed, skipped = count(root / "build" / "meson-logs" / "testlog.junit.xml")
    found = (passed, sorted(name.partition(":")[0] for name in failed), skipped)
    print("1..1")
    print(f'{"ok" if found == PLANTED_COUNT else "not ok"} 1 - what fails, is killed or takes too long counts as failed')
    if found != PLANTED_COUNT:
        print(f"# {found} instead of {PLANTED_COUNT}")
    return 0 if found == PLANTED_COUNT else 1


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--self-test":
        return self_test(sys.argv[2])
    passed, failed, skipped = 0, [], 0
    for argument in sys.argv[1:]:
        path = pathlib.Path(argument)
        if not path.exists():
            failed.append(f"{path}: there is no such report")
            continue
        counts = count(path)
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
