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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "doc" / "examples"))

from chat import Session  # noqa: E402
from servers import Server, free_port, need, need_program, stop, wait_for_port

GRACE = "10s"
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
bytes-per-second = 0
sessions-per-user = 0
connections-per-address = 0

[bus]
type = {bus}

[presence]
grace = {grace}

[log]
level = notice
"""

# Requests of the administrator under way while a community is made: fewer than limits.pending-commands.
PIPELINE = 200


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


def start_hark(settings, directory, port, bus, grace):
    """Starts harkd on the state in @directory and returns its process once it listens."""
    state = os.path.join(directory, "state")
    os.makedirs(state, exist_ok=True)
    config = os.path.join(directory, "hark.conf")
    pathlib.Path(config).write_text(CONFIG.format(port=port, state=state, bus=bus, grace=grace))
    command = ["taskset", "-c", str(settings.server_cpu), str(settings.harkd), "--config", config]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=sys.stderr)
    try:
        wait_for_port(process, port)
    except BaseException:
        stop(process)
        raise
    return process


def ask_all(session, requests):
    """Returns the replies to (type, fields) in their order, with many under way at a time."""
    replies, refs = [], []
    for type, fields in requests:
        refs.append(session.post(type, **fields))
        if len(refs) == PIPELINE:
            replies += [session.wait(ref) for ref in refs]
            refs = []
    return replies + [session.wait(ref) for ref in refs]


def provision_hark(settings, bus, port, n_users):
    """Makes users, tokens, a server and channels; returns what `load` needs to know of them, users by id."""
    def ctl(*words):
        result = subprocess.run([str(settings.harkctl), "--address", bus, "--json", *words],
                                stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(result.stdout) if result.stdout.strip() else None

    ctl("user", "add", "bench-admin", "--admin")
    session = Session("127.0.0.1", port, ctl("token", "create", "bench-admin")["token"])
    users = sorted((reply["user_id"] for reply in
                    ask_all(session, [("create_user", {"username": f"bench{i}"}) for i in range(n_users)])), key=int)
    tokens = ask_all(session, [("create_token", {"user_id": user}) for user in users])
    server = session.request("create_server", name="bench", owner_id=users[0])["server_id"]
    channels = [session.request("create_channel", server_id=server, name=name)["channel_id"] for name in CHANNELS]
    ask_all(session, [("add_member", {"server_id": server, "user_id": user}) for user in users[1:]])
    session.connection.close()
    accounts = [(reply["token"], user) for reply, user in zip(tokens, users)]
    return {"accounts": accounts, "server": server, "channels": channels}


class Hark(Server):
    """Each run starts from a copy of the same freshly provisioned state."""

    name = "hark"
    protocol = "hark"

    def __init__(self, settings):
        super().__init__(settings)
        self.templates = {}  # by the number of users: its directory and what was provisioned in it
        self.n_users = USERS
        self.grace = GRACE
        self.provisioned = None
        self.directory = None
        self.resources = None

    def check(self):
        need(self.settings.harkd, "harkd")
        need(self.settings.harkctl, "harkctl")
        need_program("dbus-daemon")

    def prepare(self):
        directory = tempfile.TemporaryDirectory(prefix="hark-bench-template-")
        with private_bus() as bus:
            port = free_port()
            process = start_hark(self.settings, directory.name, port, bus, self.grace)
            try:
                provisioned = provision_hark(self.settings, bus, port, self.n_users)
            finally:
                stop(process)
        return directory, provisioned

    def of(self, scenario):
        self.n_users = scenario.users or USERS
        self.grace = scenario.grace or GRACE
        return self

    def __enter__(self):
        if self.n_users not in self.templates:
            self.templates[self.n_users] = self.prepare()
        template, self.provisioned = self.templates[self.n_users]
        with contextlib.ExitStack() as resources:
            self.directory = resources.enter_context(tempfile.TemporaryDirectory(prefix="hark-bench-"))
            shutil.copytree(os.path.join(template.name, "state"), os.path.join(self.directory, "state"))
            accounts = os.path.join(self.directory, "accounts")
            with open(accounts, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.writelines(f"{token} {user}\n" for token, user in self.provisioned["accounts"])
            bus = resources.enter_context(private_bus())
            self.port = free_port()
            self.process = start_hark(self.settings, self.directory, self.port, bus, self.grace)
            resources.callback(stop, self.process)
            self.resources = resources.pop_all()
        return self

    def __exit__(self, *exc):
        self.resources.close()

    def args(self):
        return [*super().args(), "--accounts", os.path.join(self.directory, "accounts"),
                "--server", self.provisioned["server"], "--channels", ",".join(self.provisioned["channels"])]
