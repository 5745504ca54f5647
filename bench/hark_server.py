# SPDX-License-Identifier: LGPL-2.1-or-later
"""harkd as bench/run measures it: all that depends on its options, its configuration and harkctl is in this file."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from servers import Server, free_port, need, need_program, stop, wait_for_port

USERS = 100  # forwarding needs one for each session; elsewhere a user has many sessions
CHANNELS = ["talk", "idle-1", "idle-2", "idle-3"]  # the first is talked in, idle sessions load the others

# Quotas would be measured in place of the hub: they are out of the way, everything else is as it comes.
CONFIG = """\
[listen]
address = 127.0.0.1
port = {port}

[store]
path = {state}/hark.db

[limits]
requests-per-second = 0
messages-per-second = 0
forwards-per-second = 0
sessions-per-user = 0
connections-per-address = 0

[bus]
type = {bus}

[log]
level = notice
"""


@contextlib.contextmanager
def private_bus():
    """Yields the address of a D-Bus daemon that only this run speaks to."""
    # Its stderr is a warning that it may not raise its file limit, and nothing else while it works.
    bus = subprocess.Popen([need_program("dbus-daemon"), "--session", "--nofork", "--print-address=1"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield bus.stdout.readline().strip()
    finally:
        stop(bus)
        bus.stdout.close()


def start_hark(settings, directory, port, bus):
    """Starts harkd on the state in @directory and returns its process once it listens."""
    state = os.path.join(directory, "state")
    os.makedirs(state, exist_ok=True)
    config = os.path.join(directory, "hark.conf")
    pathlib.Path(config).write_text(CONFIG.format(port=port, state=state, bus=bus))
    command = ["taskset", "-c", str(settings.server_cpu), str(settings.harkd), "--config", config]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=sys.stderr)
    try:
        wait_for_port(process, port)
    except BaseException:
        stop(process)
        raise
    return process


def provision_hark(settings, bus):
    """Makes users, tokens, a server and channels through harkctl; returns what `load` needs to know of them."""
    def ctl(*words):
        result = subprocess.run([str(settings.harkctl), "--address", bus, "--json", *words],
                                stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(result.stdout) if result.stdout.strip() else None

    accounts = []
    names = [f"bench{i}" for i in range(USERS)]
    for name in names:
        user = ctl("user", "add", name)["user_id"]
        accounts.append((ctl("token", "create", name)["token"], user))
    server = ctl("server", "add", "bench", "--owner", names[0])["server_id"]
    channels = [ctl("channel", "add", server, name)["channel_id"] for name in CHANNELS]
    for name in names[1:]:
        ctl("member", "add", server, name)
    return {"accounts": accounts, "server": server, "channels": channels}


class Hark(Server):
    """Each run starts from a copy of the same freshly provisioned state."""

    name = "hark"
    protocol = "hark"

    def __init__(self, settings):
        super().__init__(settings)
        self.template = None
        self.provisioned = None
        self.directory = None
        self.resources = None

    def check(self):
        need(self.settings.harkd, "harkd")
        need(self.settings.harkctl, "harkctl")
        need_program("dbus-daemon")

    def prepare(self):
        self.template = tempfile.TemporaryDirectory(prefix="hark-bench-template-")
        with private_bus() as bus:
            process = start_hark(self.settings, self.template.name, free_port(), bus)
            try:
                self.provisioned = provision_hark(self.settings, bus)
            finally:
                stop(process)

    def __enter__(self):
        if self.template is None:
            self.prepare()
        with contextlib.ExitStack() as resources:
            self.directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="hark-bench-"))
            shutil.copytree(os.path.join(self.template.name, "state"), os.path.join(self.directory, "state"))
            accounts = os.path.join(self.directory, "accounts")
            with open(accounts, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.writelines(f"{token} {user}\n" for token, user in self.provisioned["accounts"])
            bus = resources.enter_context(private_bus())
            self.port = free_port()
            self.process = start_hark(self.settings, self.directory, self.port, bus)
            resources.callback(stop, self.process)
            self.resources = resources.pop_all()
        return self

    def __exit__(self, *exc):
        self.resources.close()

    def args(self):
        return [*super().args(), "--accounts", os.path.join(self.directory, "accounts"),
                "--server", self.provisioned["server"], "--channels", ",".join(self.provisioned["channels"])]
