#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what ran, from the reports that meson writes: every sub-test of a TAP program is one.

Prints "N passed, N failed, N skipped" as its last line, and before it the names of what failed. Exits with 1 when
something failed or nothing ran.
"""

import sys
import xml.etree.ElementTree as tree


def count(paths):
    passed, skipped, failed = 0, 0, []
    for path in paths:
        for suite in tree.parse(path).getroot().iter("testsuite"):
            for case in suite.iter("testcase"):
                name = f'{suite.get("name")} {case.get("classname", "")} {case.get("name")}'
                if case.find("failure") is not None or case.find("error") is not None:
                    failed.append(name)
                elif case.find("skipped") is not None:
                    skipped += 1
                else:
                    passed += 1
    return passed, failed, skipped


def main():
    passed, failed, skipped = count(sys.argv[1:])
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
