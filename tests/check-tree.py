#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tree may not have: a download host in a lock file, a source without a licence line, a setting without a use.
TAP."""

import json
import pathlib
import re
import sys

LICENSED = {".c", ".h", ".py", ".mjs", ".sh", ".build", ".sql"}
# The migrations of the store's tests are compared byte for byte.
SKIPPED = {"node_modules", ".git", ".dev", "__pycache__", "migrations"}


def files(root):
    for path in sorted(root.iterdir()):
        if path.name in SKIPPED or path.name.startswith("build") and path.is_dir():
            continue
        if path.is_dir():
            yield from files(path)
        elif path.is_file() and not path.is_symlink():
            yield path


def hosts_in_locks(root):
    found = []
    for path in files(root):
        if path.name == "package-lock.json":
            for name, package in json.loads(path.read_text())["packages"].items():
                if "resolved" in package:
                    found.append(f"{path}: {name}")
    return found


def unlicensed(root):
    names = {"dev", "run"}
    return [str(path) for path in files(root)
            if (path.suffix in LICENSED or path.name == "meson.build" or path.name in names)
            and path.name != "meson_options.txt"
            and not re.search("SPDX-License-Identifier: (LGPL-2.1-or-later|MIT)", path.read_text(errors="replace")[:400])]


def unused_settings(root):
    """A setting that nobody reads would be a promise in harkd.conf(5) that nobody keeps."""
    daemon = root / "src" / "daemon"
    names = re.findall(r"(?m)^  (HARK_SETTING_\w+),$", (daemon / "settings.h").read_text().split("} HarkSetting;")[0])
    used = {name for user in ("app.c", "app-settings.c", "back-ends.c", "jwt-settings.c", "main.c")
            for name in re.findall(r"HARK_SETTING_\w+", (daemon / user).read_text())}
    return [name for name in names if name not in used] if names else ["settings.h has none"]


def unlisted_limits(root):
    """doc/limits.md names every number among the settings, and for each bound a metric and a test that there are."""
    page = (root / "doc" / "limits.md").read_text()
    settings = re.findall(r'AT \("(\w+)", "([\w-]+)"\), (?:INT|BYTES) ', (root / "src" / "daemon" / "settings.c").read_text())
    listed = re.findall(r"(?m)^\| `\[(\w+)\] ([\w-]+)` \|", page)
    found = [f"[{section}] {key} is not in doc/limits.md" for section, key in settings if (section, key) not in listed]
    found += [f"[{section}] {key} is no number among the settings" for section, key in listed if (section, key) not in settings]
    sources = "\n".join(path.read_text() for path in files(root / "src") if path.suffix == ".c")
    made = "|".join(re.escape(name).replace("%s", "[a-z0-9_]+") for name in re.findall(r'"(hark_[a-z0-9_]*%s[a-z0-9_]*)"', sources))
    for metric, test, words in re.findall(r"(?m)^\| `\[.*\| `(\w+)` \| `([\w/.-]+)`: `(.*)` \|$", page):
        if f'"{metric}"' not in sources and not re.fullmatch(made, metric):
            found.append(f"{metric}: there is no such metric")
        path = root / "tests" / test
        if not path.exists() or words not in path.read_text():
            found.append(f"{test}: nothing there says {words}")
    return found if settings else ["settings.c has none"]


def main():
    root = pathlib.Path(sys.argv[1])
    checks = [("no lock file names a download host", hosts_in_locks(root)),
              ("every source says its licence", unlicensed(root)),
              ("every setting is read by the application", unused_settings(root)),
              ("every limit is listed, with a metric and a test that there are", unlisted_limits(root))]
    print(f"1..{len(checks)}")
    for number, (name, found) in enumerate(checks, 1):
        print(f'{"not ok" if found else "ok"} {number} - {name}')
        for detail in found:
            print(f"# {detail}")
    return 1 if any(found for _, found in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
