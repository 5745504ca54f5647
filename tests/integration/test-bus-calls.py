#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hundred thousand calls at random end nothing: of every method there is, on every kind of object, with arguments of the right
types and of others. TAP. HARK_BUILD_DIR names the build; BUS_CALLS another number, BUS_SEED a run again."""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))
from dbuswire import Bus, call, types  # noqa: E402

BUILD = pathlib.Path(os.environ["HARK_BUILD_DIR"])
DATA = pathlib.Path(__file__).parent.parent.parent / "data" / "dbus"
N_CALLS = int(os.environ.get("BUS_CALLS", "100000"))
SEED = int(os.environ.get("BUS_SEED", random.randrange(1 << 32)))
NAME, ROOT = "org.hark.Hub1", "/org/hark/Hub1"
IN_FLIGHT = 200

# These would end what is tested, or leave it for another process.
LEFT_OUT = {"Upgrade", "Drain", "Backup"}

WORDS = ["", "0", "1", "-1", "ann", "ghost", "channel/1", "app/x", "room/lobby", "server/0", "{}", "[]", "null", '{"a":', "\t\n", "é" * 40,
         "x" * 5000, "9" * 19, "9" * 40, "../../etc/passwd", "%s%n", "'; DROP TABLE users; --", "a b", "2026-01-01T00:00:00Z"]


def methods():
    """(interface, method, signature) of all there is, the bus's own interfaces with it."""
    found = [("org.freedesktop.DBus.Properties", "Get", "ss"), ("org.freedesktop.DBus.Properties", "GetAll", "s"),
             ("org.freedesktop.DBus.Properties", "Set", "ssv"), ("org.freedesktop.DBus.Introspectable", "Introspect", ""),
             ("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ""), ("org.freedesktop.DBus.Peer", "Ping", ""),
             ("org.hark.Nothing", "Nothing", "s")]
    for path in sorted(DATA.glob("*.xml")):
        for interface in ElementTree.parse(path).getroot().iter("interface"):
            for method in interface.iter("method"):
                signature = "".join(arg.get("type") for arg in method.iter("arg") if arg.get("direction") == "in")
                if method.get("name") not in LEFT_OUT:
                    found.append((interface.get("name"), method.get("name"), signature))
    return found


def value(chance, kind):
    if kind[0] == "a":
        n = chance.choice((0, 1, 2, 5))
        if kind[1] == "{":
            key, member = types(kind[2:-1])
            return {value(chance, key): value(chance, member) for _ in range(n)}
        return [value(chance, kind[1:]) for _ in range(n)]
    if kind[0] in "({":
        return [value(chance, one) for one in types(kind[1:-1])]
    if kind == "v":
        one = chance.choice(["s", "u", "x", "b", "as", "a{sv}"])
        return one, value(chance, one)
    if kind == "s":
        return chance.choice(WORDS)
    if kind == "o":
        return chance.choice(["/", ROOT])
    if kind == "g":
        return chance.choice(["", "s"])
    if kind == "b":
        return chance.randrange(2)
    bits = {"i": 31, "u": 32, "t": 64, "x": 63}[kind]
    number = chance.choice([0, 1, 2, (1 << bits) - 1, chance.randrange(1 << bits)])
    return -number if kind in "ix" and chance.randrange(2) else number


def random_call(chance, serial, found, paths):
    interface, method, signature = chance.choice(found)
    if chance.randrange(10) == 0:
        signature = chance.choice(["", "s", "u", "as", "a{sv}", "sss", "v", "(sx)"])
    path = chance.choice(paths) if interface.startswith(("org.hark.Se", "org.hark.Su", "org.free")) else ROOT
    return call(serial, NAME, path, interface, method, signature, *(value(chance, kind) for kind in types(signature)))


class Hub:
    def __init__(self, directory):
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True)
        self.address = self.bus.stdout.readline().strip()
        (directory / "harkd.conf").write_text("")
        self.log = open(directory / "log", "w+")
        self.process = subprocess.Popen(
            [str(BUILD / "src/daemon/harkd"), "--config", str(directory / "harkd.conf"), "--demo", "--set", f"store.path={directory}/hark.db", "--set",
             f"bus.type={self.address}", "--set", "listen.port=0", "--set", "log.level=notice"],
            stdout=subprocess.DEVNULL, stderr=self.log, env=dict(os.environ, G_DEBUG="fatal-warnings"))
        # Until it is ready.
        subprocess.run(["gdbus", "wait", "--session", "--timeout", "60", NAME], check=True,
                       env=dict(os.environ, DBUS_SESSION_BUS_ADDRESS=self.address))

    def ctl(self, *words):
        result = subprocess.run([str(BUILD / "src/ctl/harkctl"), "--address", self.address, "--json", *words],
                                stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(result.stdout)

    def end(self):
        self.process.terminate()
        code = self.process.wait(60)
        self.bus.terminate()
        self.bus.wait(60)
        self.bus.stdout.close()
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        assert code == 0, f"harkd ended with {code}\n{said[-3000:]}"


def main():
    chance = random.Random(SEED)
    found = methods()
    answers = {2: 0, 3: 0}
    names = set()
    print(f"1..1\n# {N_CALLS} calls of {len(found)} methods, BUS_SEED={SEED}")
    with tempfile.TemporaryDirectory(prefix="hark-bus-") as directory:
        hub = Hub(pathlib.Path(directory))
        try:
            bus = Bus(hub.address)
            bus.socket.sendall(call(1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"))
            bus.message()
            paths = [ROOT, f"{ROOT}/sessions", f"{ROOT}/sessions/1", f"{ROOT}/sessions/1_channel_2f1", f"{ROOT}/sessions/x_y", "/"]
            sent = answered = 0
            while answered < N_CALLS:
                while sent < N_CALLS and sent - answered < IN_FLIGHT:
                    burst = min(50, N_CALLS - sent)
                    bus.socket.sendall(b"".join(random_call(chance, 2 + sent + i, found, paths) for i in range(burst)))
                    sent += burst
                kind, fields, _ = bus.message()
                if kind in answers and fields.get(5, 0) >= 2:
                    answers[kind] += 1
                    answered += 1
                    names.add(fields.get(4, ""))
            status = hub.ctl("status")
            assert hub.process.poll() is None and status["ready"], status
        finally:
            hub.end()
    assert min(answers.values()) > N_CALLS / 100, answers
    strange = {name for name in names if name and not name.startswith(("org.hark.Hub1.Error.", "org.freedesktop.DBus.Error."))}
    assert not strange, strange
    assert "org.hark.Hub1.Error.Internal" not in names, names
    print(f"# {answers[2]} answered, {answers[3]} refused, by {sorted(name.rsplit('.', 1)[-1] for name in names if name)}")
    print("ok 1 - Calls at random end nothing, and each is answered by what its interface or the error table has")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
