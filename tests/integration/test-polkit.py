#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may call on the system bus: root, and of the others polkit is asked, here that of python-dbusmock. Callers of several uids
need root, and are refused by the kernel without: so this test needs it too. TAP. HARK_BUILD_DIR names the build."""

import os
import pathlib
import re
import subprocess
import tempfile
import time
import traceback
import xml.etree.ElementTree as ElementTree

BUILD = pathlib.Path(os.environ["HARK_BUILD_DIR"])
SOURCE = pathlib.Path(__file__).parent.parent.parent
PATIENCE_S = 60
NOBODY, SOMEBODY = 65534, 1  # of users that every system has
HUB, ROOT = "org.hark.Hub1", "/org/hark/Hub1"
READ, PUBLISH, ADMINISTER = (f"{HUB}.{name}" for name in ("read", "publish", "administer"))

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={directory}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"""


class Scene:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.chmod(0o755)
        (self.directory / "bus.conf").write_text(BUS_CONFIG.format(directory=directory))
        self.address = f"unix:path={directory}/bus"
        self.processes = []
        self.start("dbus-daemon", f"--config-file={directory}/bus.conf", "--nofork")
        self.until(lambda: (self.directory / "bus").exists())
        (self.directory / "harkd.conf").write_text("")
        self.start(str(BUILD / "src/daemon/harkd"), "--config", f"{directory}/harkd.conf", "--set", f"store.path={directory}/hark.db",
                   "--set", f"bus.type={self.address}", "--set", "bus.polkit=yes", "--set", "listen.port=0", G_DEBUG="fatal-warnings")
        self.until(lambda: self.call(0, "Metrics1", "GetAll")[0] == 0)

    def start(self, *command, **environment):
        process = subprocess.Popen(command, env=dict(os.environ, **environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.02)

    def busctl(self, uid, *words):
        result = subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "busctl", f"--address={self.address}",
                                 *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return result.returncode, result.stdout.strip() if result.returncode == 0 else result.stderr.strip()

    def call(self, uid, interface, method, *arguments):
        return self.busctl(uid, "call", HUB, ROOT, f"org.hark.{interface}", method, *arguments)

    def start_polkit(self):
        self.start("/usr/bin/python3", "-m", "dbusmock", "--template", "polkitd", DBUS_SYSTEM_BUS_ADDRESS=self.address)
        self.until(lambda: self.polkit("AllowUnknown", "b", "false") == 0)

    def polkit(self, method, *arguments):
        return self.busctl(0, "call", "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.DBus.Mock",
                           method, *arguments)[0]

    def allow(self, *actions):
        assert self.polkit("SetAllowed", "as", str(len(actions)), *actions) == 0

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(PATIENCE_S)


# A call of each kind.
CALLS = {READ: ("Hub1", "ListSessions", "sus", "", "0", ""), PUBLISH: ("Hub1", "Publish", "ss", "app/x", "1"),
         ADMINISTER: ("Hub1", "StopDrain")}


def may(scene, uid, action):
    code, said = scene.call(uid, *CALLS[action])
    assert code == 0 or "may not" in said, said
    return "may not" not in said


def without_polkit(scene):
    """Without polkit root may everything and nobody else anything, but read the hub's figures"""
    for action in CALLS:
        assert may(scene, 0, action) and not may(scene, NOBODY, action), action
    code, said = scene.busctl(NOBODY, "get-property", HUB, ROOT, HUB, "Ready")
    assert (code, said) == (0, "b true"), said


def by_action(scene):
    """polkit is asked by what a call is: to look, to say something, to administer"""
    scene.start_polkit()
    for allowed in ([], [READ], [PUBLISH], [READ, PUBLISH], [ADMINISTER]):
        scene.allow(*allowed)
        for uid in (NOBODY, SOMEBODY):
            for action in CALLS:
                assert may(scene, uid, action) == (action in allowed), (uid, action, allowed)
        assert all(may(scene, 0, action) for action in CALLS)


def session_objects(scene):
    """What sessions say of themselves is to look, what can be done to them is to administer"""
    scene.start_polkit()
    scene.allow(READ)
    manager = ("call", HUB, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    assert scene.busctl(NOBODY, *manager)[0] == 0
    scene.allow(PUBLISH)
    assert "may not" in scene.busctl(NOBODY, *manager)[1]


def not_waited_for(scene):
    """While polkit asks a user for a password, others are served"""
    scene.start_polkit()
    assert scene.polkit("SimulateHangActions", "as", "1", ADMINISTER) == 0
    scene.allow(READ, ADMINISTER)
    waiting = subprocess.Popen(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "busctl",
                                f"--address={scene.address}", "call", HUB, ROOT, HUB, "Reload"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    scene.until(lambda: scene.busctl(0, "call", "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                                     "org.freedesktop.DBus.Mock", "HaveHangingCalls")[1] == "b true")
    assert may(scene, SOMEBODY, READ) and may(scene, 0, ADMINISTER)
    assert waiting.poll() is None
    assert scene.polkit("ReleaseHangingCalls") == 0
    assert waiting.wait(PATIENCE_S) == 0, waiting.stderr.read()
    waiting.stderr.close()


def policy(scene):
    """The policy has the daemon's actions, each with its texts in all languages and defaults; the rules name one of them"""
    header = (SOURCE / "src/bus/authority.h").read_text()
    actions = re.findall(r'#define HARK_BUS_ACTION_\w+ "([^"]+)"', header)
    tree = ElementTree.parse(SOURCE / "data/polkit/org.hark.Hub1.policy").getroot()
    assert [action.get("id") for action in tree.iter("action")] == actions, actions
    language = "{http://www.w3.org/XML/1998/namespace}lang"
    for action in tree.iter("action"):
        for kind in ("description", "message"):
            assert sorted(text.get(language, "") for text in action.findall(kind)) == ["", "de", "zh_CN"], action.get("id")
        assert [element.tag for element in action.find("defaults")] == ["allow_any", "allow_inactive", "allow_active"]
    assert PUBLISH in (SOURCE / "data/polkit/org.hark.Hub1.rules").read_text()


def main():
    tests = [without_polkit, by_action, session_objects, not_waited_for, policy]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        with tempfile.TemporaryDirectory(prefix="hark-polkit-") as directory:
            scene = Scene(directory)
            try:
                test(scene)
                print(f"ok {number} - {test.__doc__}")
            except Exception:  # a test program reports whatever went wrong, and goes on with the next
                failed += 1
                where = "\n# ".join(traceback.format_exc().splitlines())
                print(f"not ok {number} - {test.__doc__}\n# {where}")
            finally:
                scene.end()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
