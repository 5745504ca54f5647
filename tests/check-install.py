#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `meson install` puts where, and that systemd finds nothing wrong with the units. TAP.

Arguments: the build directory. Installs into a temporary directory.
"""

import pathlib
import subprocess
import sys
import tempfile

# What a distribution's package is made of, by the end of its path.
INSTALLED = [
    "bin/harkd", "bin/harkctl",
    "systemd/system/hark.service", "systemd/system/hark.socket", "systemd/user/hark.service", "systemd/user/hark.socket",
    "sysusers.d/hark.conf", "tmpfiles.d/hark.conf", "systemd/catalog/hark.catalog",
    "polkit-1/actions/org.hark.Hub1.policy", "polkit-1/rules.d/org.hark.Hub1.rules", "dbus-1/system.d/org.hark.Hub1.conf", "dbus-1/system-services/org.hark.Hub1.service",
    "dbus-1/services/org.hark.Hub1.service", "dbus-1/interfaces/org.hark.Hub1.xml",
    "dbus-1/interfaces/org.hark.Directory1.xml", "dbus-1/interfaces/org.hark.Metrics1.xml",
    "dbus-1/interfaces/org.hark.SocketIO1.xml", "dbus-1/interfaces/org.hark.Session1.xml",
    "dbus-1/interfaces/org.hark.Subscription1.xml",
    "hark/harkd.conf", "hark/schema/common.json", "hark/schema/event/message.json", "man/man1/harkctl.1", "man/man5/harkd.conf.5", "man/man8/harkd.8",
    "bash-completion/completions/harkctl",
]
MOST_EXPOSED = 12  # tenths, of `systemd-analyze security`


def install(build, root):
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", root], check=True,
                   stdout=subprocess.DEVNULL)
    return [path for path in pathlib.Path(root).rglob("*") if path.is_file()]


def ending(files, end):
    return [path for path in files if str(path).endswith(f"/{end}")]


def verify(root, files):
    """Says what systemd finds wrong with the units, where they are."""
    complaints = []
    for scope in ("system", "user"):
        directory = pathlib.Path(root) / f"verify-{scope}"
        directory.mkdir()
        for kind in ("service", "socket"):
            (unit,) = ending(files, f"systemd/{scope}/hark.{kind}")
            (harkd,) = ending(files, "bin/harkd")
            installed = str(harkd)[len(str(root)):]
            (directory / f"hark.{kind}").write_text(unit.read_text().replace(installed, str(harkd)))
        result = subprocess.run(["systemd-analyze", f"--{scope}", "verify", "--man=no", str(directory / "hark.service"),
                                 str(directory / "hark.socket")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        complaints += [line for line in result.stdout.splitlines() if "hark" in line]
    return complaints


def exposure(files):
    (unit,) = ending(files, "systemd/system/hark.service")
    result = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [] if result.returncode == 0 else result.stdout.splitlines()[-1:]


def check_config(files):
    (harkd,) = ending(files, "bin/harkd")
    (config,) = ending(files, "hark/harkd.conf")
    result = subprocess.run([str(harkd), "--config", str(config), "--check-config"], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    return [] if result.returncode == 0 else result.stdout.splitlines()


def main():
    with tempfile.TemporaryDirectory(prefix="hark-install-") as root:
        files = install(sys.argv[1], root)
        checks = [
            ("everything a package is made of is installed where it is looked for",
             [end for end in INSTALLED if len(ending(files, end)) != 1]),
            ("systemd finds nothing wrong with the units", verify(root, files)),
            (f"the system service's exposure is at most {MOST_EXPOSED / 10}", exposure(files)),
            ("the installed example is a configuration without mistakes", check_config(files)),
        ]
    print(f"1..{len(checks)}")
    for number, (name, found) in enumerate(checks, 1):
        print(f'{"not ok" if found else "ok"} {number} - {name}')
        for detail in found:
            print(f"# {detail}")
    return 1 if any(found for _, found in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
