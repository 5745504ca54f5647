#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service manager and the buses are told: units, activation, policy and the system user. TAP.

check-units.py SOURCE-DATA BUILD-DATA HARKD. The units are checked by systemd itself and the policy by a bus that is
started with it; where a tool is missing, the test fails.
"""

import configparser
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUS_NAME = "org.hark.Hub1"
# What systemd-analyze makes of a unit's sandbox, times ten: 0 is a safe, 100 an open field.
EXPOSURE_MAX = 12
BUS_CONFIG = """<busconfig>
  <type>custom</type><listen>unix:tmpdir={directory}</listen><auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><deny own="*"/><deny send_type="method_call"/>
    <allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
    <allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  {include}
</busconfig>
"""


def run(*command, **environment):
    """Returns the exit code and all that was printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0", **environment}, check=False)
    return done.returncode, done.stdout


def read_unit(path):
    """A unit or activation file; of a key that is given twice the last counts."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str
    parser.read(path)
    return parser


class Tree:
    """The units under their own names, with the daemon where it was built."""

    def __init__(self, directory, source, build, harkd):
        self.directory, self.source, self.build, self.harkd = directory, source, build, harkd
        for scope in ("system", "user"):
            folder = directory / scope
            folder.mkdir()
            text = (build / f"hark-{scope}.service").read_text()
            (folder / "hark.service").write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={harkd}", text))
            (folder / "hark.socket").write_text((source / scope / "hark.socket").read_text())

    def verify(self, scope):
        """systemd finds nothing to say about the units."""
        folder = self.directory / scope
        code, out = run("systemd-analyze", "verify", f"--{scope}", "--man=no", folder / "hark.service",
                        folder / "hark.socket", SYSTEMD_UNIT_PATH=f"{folder}:", XDG_RUNTIME_DIR=str(self.directory))
        return [] if code == 0 and not out.strip() else [f"exit code {code}", *out.splitlines()]

    def verify_notices(self):
        """The check itself is not blind: an unknown setting is told."""
        folder = self.directory / "planted"
        folder.mkdir()
        text = (self.directory / "system" / "hark.service").read_text()
        (folder / "hark.service").write_text(text.replace("[Service]", "[Service]\nHarkSays=moo"))
        _, out = run("systemd-analyze", "verify", "--man=no", folder / "hark.service", SYSTEMD_UNIT_PATH=f"{folder}:")
        return [] if "HarkSays" in out else ["a planted mistake is not found", *out.splitlines()]

    def exposure(self):
        code, out = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}",
                        self.directory / "system" / "hark.service")
        lines = [line for line in out.splitlines() if "✓" not in line]
        return [] if code == 0 and "Overall exposure level" in out else lines

    def starts(self):
        """The command lines in the units are ones that the daemon understands."""
        wrong = []
        for scope in ("system", "user"):
            command = read_unit(self.build / f"hark-{scope}.service")["Service"]["ExecStart"].split()[1:]
            code, out = run(self.harkd, *command, "--config=/dev/null", "--check-config")
            if code != 0 or command != [f"--{scope}"]:
                wrong += [f"{scope}: {command}: exit code {code}", *out.splitlines()]
        return wrong

    def activation(self):
        """The buses start the units, under the name that the daemon takes."""
        wrong = []
        for path, aliases in ((self.source / "system" / f"{BUS_NAME}.service",
                               read_unit(self.build / "hark-system.service")["Install"]["Alias"].split()),
                              (self.build / f"{BUS_NAME}.service", ["hark.service"])):
            service = read_unit(path)["D-BUS Service"]
            if service["Name"] != BUS_NAME or service["SystemdService"] not in aliases:
                wrong.append(f"{path.name}: {dict(service)}, the unit is {aliases}")
        session = read_unit(self.build / f"{BUS_NAME}.service")["D-BUS Service"]["Exec"]
        unit = read_unit(self.build / "hark-user.service")["Service"]["ExecStart"]
        return wrong + ([] if session == unit else [f"the session bus runs {session}, the unit {unit}"])

    def own_name(self, name, include):
        """Takes @name on a bus with or without our policy; returns what the bus says to that."""
        policy = self.source / "system" / f"{BUS_NAME}.conf"
        config = self.directory / f"bus-{include}.conf"
        config.write_text(BUS_CONFIG.format(directory=self.directory,
                                            include=f"<include>{policy}</include>" if include else ""))
        with subprocess.Popen(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
            try:
                address = bus.stdout.readline().strip()
                if not address:
                    return "the bus does not start with the policy"
                return run("busctl", f"--address={address}", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "RequestName", "su", name, "0")[1].strip()
            finally:
                bus.terminate()

    def policy(self):
        """With the policy root may be Hark, and only Hark; without it, and for others, nobody may."""
        wrong = []
        for name, include in ((BUS_NAME, True), (BUS_NAME, False), ("org.hark.Other1", True)):
            expected = os.geteuid() == 0 and include and name == BUS_NAME
            said = self.own_name(name, include)
            if (said == "u 1") != expected or "does not start" in said:
                wrong.append(f"{name}, policy included: {include}: {said}")
        return wrong

    def system_user(self):
        """sysusers makes the user that the unit and the policy name."""
        root = self.directory / "root"
        (root / "etc").mkdir(parents=True)
        service = read_unit(self.build / "hark-system.service")["Service"]
        policy = (self.source / "system" / f"{BUS_NAME}.conf").read_text()
        code, out = run("systemd-sysusers", "--dry-run", f"--root={root}", self.source / "system" / "hark.sysusers")
        users = re.findall(r"(?m)^u (\S+)", (self.source / "system" / "hark.sysusers").read_text())
        right = code == 0 and users == [service["User"]] and f'<policy user="{service["User"]}">' in policy
        return [] if right else [f"{users}, the unit has {service['User']}", *out.splitlines()]


    def directories(self):
        root = self.directory / "files"
        (root / "etc").mkdir(parents=True)
        (root / "var" / "lib").mkdir(parents=True)
        (root / "etc" / "passwd").write_text("hark:x:987:987::/:/usr/sbin/nologin\n")
        (root / "etc" / "group").write_text("hark:x:987:\n")
        code, out = run("systemd-tmpfiles", "--create", f"--root={root}", self.source / "system" / "hark.tmpfiles")
        made = root / "var" / "lib" / "hark"
        if code != 0 or not made.is_dir() or os.geteuid() == 0 and made.stat().st_uid != 987:
            return [f"exit code {code}", *out.splitlines()]
        return [] if made.stat().st_mode & 0o777 == 0o700 else [oct(made.stat().st_mode)]

    def catalog(self):
        """journald takes the catalog, and finds in it what the daemon says."""
        header = (self.source.parent / "src" / "base" / "log.h").read_text()
        ours = dict(re.findall(r'#define HARK_MESSAGE_(\w+)\s*\\?\s*"([0-9a-f]{32})"', header))
        text = (self.source / "system" / "hark.catalog").read_text()
        told = re.findall(r"(?m)^-- ([0-9a-f]{32})$", text)
        wrong = [f"{name} has no text" for name, id in ours.items() if id not in told]
        wrong += [f"{id} is none of ours" for id in told if id not in ours.values()]
        root = self.directory / "journal"
        folder = root / "usr" / "lib" / "systemd" / "catalog"
        folder.mkdir(parents=True)
        (folder / "hark.catalog").write_text(text)
        (root / "var" / "lib" / "systemd" / "catalog").mkdir(parents=True)
        code, out = run("journalctl", f"--root={root}", "--update-catalog")
        _, listed = run("journalctl", f"--root={root}", "--list-catalog")
        if code != 0 or len(re.findall(r"(?m)^[0-9a-f]{32} Hark: ", listed)) != len(ours):
            wrong += [f"journalctl: exit code {code}", *out.splitlines(), *listed.splitlines()]
        return wrong


def main():
    source, build, harkd = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(pathlib.Path(directory), source, build, harkd)
        checks = [
            ("systemd has nothing to say about the system's units", tree.verify("system")),
            ("systemd has nothing to say about a user's units", tree.verify("user")),
            ("a planted mistake in a unit is found", tree.verify_notices()),
            (f"the sandbox's exposure is at most {EXPOSURE_MAX / 10}", tree.exposure()),
            ("the daemon understands how the units start it", tree.starts()),
            ("the buses start the units, under the daemon's name", tree.activation()),
            ("only root and the service may take the name on the system bus", tree.policy()),
            ("the system user is made that unit and policy name", tree.system_user()),
            ("what the unit needs of the file system is made for that user", tree.directories()),
            ("the journal's catalog has a text for each message of ours, and for no other", tree.catalog()),
        ]
    print(f"1..{len(checks)}")
    for number, (name, wrong) in enumerate(checks, 1):
        print(f'{"not ok" if wrong else "ok"} {number} - {name}')
        for line in wrong:
            print(f"# {line}")
    return 1 if any(wrong for _, wrong in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
