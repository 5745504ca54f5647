#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""harkd under a service manager that is not systemd: this test passes it a listening socket and receives what it notifies.
TAP. HARK_BUILD_DIR names the build."""

import fcntl
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "wire"))
import wire  # noqa: E402

HARKD = pathlib.Path(os.environ["HARK_BUILD_DIR"]) / "src/daemon/harkd"
PATIENCE_S = 60


class Manager:
    """What systemd does for a Type=notify service with a socket unit, as far as harkd sees it: it passes a listening
    socket, hears notifications, and keeps descriptors for the next process."""

    def __init__(self, directory, *options):
        self.directory = pathlib.Path(directory)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.directory / "notify"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.messages = []
        self.stored = {}
        self.heard = threading.Condition()
        self.hearing = threading.Thread(target=self.hear, daemon=True)
        self.hearing.start()
        self.options = options

    def hear(self):
        """Like systemd, it takes what is said when it is said: a daemon that waits to be heard is not kept waiting."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self.notify, 65536, 16)
            if data == b"goodbye":
                return
            message = data.decode()
            fields = dict(line.split("=", 1) for line in message.split("\n") if "=" in line)
            with self.heard:
                if fields.get("FDSTORE") == "1":
                    self.stored[fields["FDNAME"]] = descriptors.pop()
                elif fields.get("FDSTOREREMOVE") == "1":
                    descriptor = self.stored.pop(fields["FDNAME"], None)
                    if descriptor is not None:
                        os.close(descriptor)
                self.messages.append(message)
                self.heard.notify_all()
            for descriptor in descriptors:  # of BARRIER=1, whose sender waits for this
                os.close(descriptor)

    def start(self, program=HARKD):
        passed = [("http", self.listener.fileno()), *self.stored.items()]
        environment = dict(os.environ, NOTIFY_SOCKET=str(self.directory / "notify"), LISTEN_FDS=str(len(passed)),
                           LISTEN_FDNAMES=":".join(name for name, _ in passed), WATCHDOG_USEC="2000000",
                           G_DEBUG="fatal-warnings")
        # Out of the way of the numbers that they get.
        high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 3 + len(passed) + 100) for _, descriptor in passed]

        def arrange():
            for i, descriptor in enumerate(high):
                os.dup2(descriptor, 3 + i)

        # LISTEN_PID is that of the process itself, which a shell that replaces itself knows beforehand.
        command = ["sh", "-c", 'export LISTEN_PID=$$; exec "$0" "$@"', str(program), "--user", "--config",
                   str(self.directory / "harkd.conf"), "--set", f"store.path={self.directory}/hark.db", "--set",
                   "bus.type=none", *self.options]
        if not (self.directory / "harkd.conf").exists():
            (self.directory / "harkd.conf").write_text("[log]\nlevel=notice\n")
        self.process = subprocess.Popen(command, env=environment, preexec_fn=arrange,
                                        pass_fds=range(3, 3 + len(passed)), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        for descriptor in high:
            os.close(descriptor)
        # systemd keeps what is stored until the service removes it, and gives it to whatever process comes next.

    def receive(self, what):
        """Waits for a notification that says @what; all are kept."""
        def has_come():
            return any(line.startswith(what) for message in self.messages for line in message.split("\n"))
        with self.heard:
            assert self.heard.wait_for(has_come, PATIENCE_S), f"no {what} came"

    def forget(self):
        with self.heard:
            self.messages.clear()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)

    def end(self):
        if self.process.poll() is None:
            self.stop()
        self.process.stderr.close()
        speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        speaker.sendto(b"goodbye", str(self.directory / "notify"))
        speaker.close()
        self.hearing.join(PATIENCE_S)
        self.notify.close()
        self.listener.close()
        for descriptor in self.stored.values():
            os.close(descriptor)


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def passed_socket(manager):
    """It serves on the socket that it was passed, and says that it is ready when it does."""
    manager.start()
    manager.receive("READY=1")
    assert get(manager.port, "/readyz") == 200
    manager.receive("STATUS=")


def watchdog(manager):
    """It feeds the watchdog from its main loop, more than once in the time it is given."""
    manager.start()
    manager.receive("READY=1")
    for _ in range(3):
        manager.forget()
        manager.receive("WATCHDOG=1")


def reload_signal(manager):
    """A reload is announced, and ends with being ready again; a broken configuration leaves it running."""
    manager.start()
    manager.receive("READY=1")
    for text, status in (("[log]\nlevel=info\n", "STATUS=Ready"), ("[log]\nlevel=loud\n", "STATUS=Ready; the last reload failed")):
        manager.forget()
        (manager.directory / "harkd.conf").write_text(text)
        manager.process.send_signal(signal.SIGHUP)
        manager.receive("RELOADING=1")
        manager.receive("READY=1")
        manager.receive(status)
        assert get(manager.port, "/readyz") == 200


def orderly_end(manager):
    """SIGTERM is announced and ends it with status 0."""
    manager.start()
    manager.receive("READY=1")
    manager.stop()
    manager.receive("STOPPING=1")
    assert manager.process.returncode == 0, manager.process.stderr.read()


# Sessions that go on.

TEXT, CLOSE, FIN = 1, 8, 0x80
READING, WRITING = 1, 2  # HARK_MARK_READING, HARK_MARK_WRITING


class Client:
    """A session of a user of the demo community."""

    def __init__(self, manager, name):
        connection = http.client.HTTPConnection("127.0.0.1", manager.port, timeout=PATIENCE_S)
        connection.request("POST", "/api/v1/login", json.dumps({"username": name, "password": f"harbour-{name}"}))
        login = json.loads(connection.getresponse().read())
        connection.close()
        self.token = login["token"]
        self.user_id = login["user"]["user_id"]
        self.connect(manager)

    def connect(self, manager):
        self.connection = wire.Connection(manager.port)
        self.connection.deadline = time.monotonic() + PATIENCE_S
        self.connection.upgrade(f"/ws/{self.token}/")
        self.refs = 0
        self.welcome = self.event("welcome")

    def receive(self):
        first, payload = self.connection.read_frame()
        assert first == FIN | TEXT, (first, payload)
        return json.loads(payload)

    def event(self, kind):
        while True:
            message = self.receive()
            if message["type"] == kind:
                return message

    def request(self, kind, **fields):
        self.refs += 1
        self.connection.send(wire.text(json.dumps({"type": kind, "ref": self.refs, **fields})))
        while True:
            message = self.receive()
            if message.get("ref") == self.refs:
                assert message["type"] != "error", message
                return message

    def closed(self):
        """The close code; 1006 when there was no close frame. Whatever came before is passed over."""
        while True:
            try:
                first, payload = self.connection.read_frame()
            except wire.Failure:
                return 1006
            if first == FIN | CLOSE:
                return struct.unpack(">H", payload[:2])[0]

    def enter(self):
        """Has the first channel of the first server loaded. Returns its id."""
        server = self.request("get_servers")["servers"][0]["server_id"]
        channel = self.request("get_server_channels", server_id=server)["channels"][0]["channel_id"]
        self.request("get_messages", channel_id=channel)
        return channel


def read_marks(manager):
    """What the logbook says: flags by session."""
    logbook = manager.stored["logbook"]
    _, _, n_slots, slot_size = struct.unpack("IIII", os.pread(logbook, 16, 0))
    marks = {}
    for slot in range(min(n_slots, 64)):
        session, flags, _ = struct.unpack("qII", os.pread(logbook, 16, 40 + slot * slot_size))
        if session:
            marks[str(session)] = flags
    return marks


def wait_for_marks(manager, client, flags):
    """Until the logbook says just that of a session; it is written as the daemon goes."""
    deadline = time.monotonic() + PATIENCE_S
    while read_marks(manager).get(client.welcome["session"]) != flags:
        assert time.monotonic() < deadline, read_marks(manager)
        time.sleep(0.01)


def start_with_demo(manager, *options):
    manager.options = (*options, "--demo", "--set", "http.api-rate-per-address=0", "--set", "limits.messages-per-second=0",
                       "--set", "limits.bytes-per-second=0")
    manager.start()
    manager.receive("READY=1")


def start_again(manager):
    manager.process.wait(PATIENCE_S)
    manager.process.stderr.close()
    manager.forget()
    manager.start()
    manager.receive("READY=1")


def talk(speaker, listener, channel, text):
    speaker.request("message", channel=channel, message=text)
    message = listener.event("message")
    assert message["message"] == text, message


def kept_over_restart(manager):
    """An orderly restart leaves connections with the service manager, and the next process goes on with them."""
    start_with_demo(manager)
    ann, bob = Client(manager, "ann"), Client(manager, "bob")
    channel = ann.enter()
    bob.enter()
    # Half of a request before, half of it after.
    request = wire.text(json.dumps({"type": "ping", "ref": "halves"}))
    ann.connection.send(request[:9])
    for _ in range(2):
        manager.process.send_signal(signal.SIGTERM)
        start_again(manager)
        assert manager.process.poll() is None
        talk(ann if request is None else bob, bob if request is None else ann, channel, "after")
        if request is not None:
            ann.connection.send(request[9:])
            assert ann.event("ping")["ref"] == "halves"
            request = None
    assert {name for name in manager.stored if name.startswith("c")} == {"c0", "c1"}
    bob.connection.close()
    deadline = time.monotonic() + PATIENCE_S
    while "c1" in manager.stored and "c0" in manager.stored:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def beyond_the_bound(manager):
    """Connections beyond the bound are not kept: a restart closes them, with 1012."""
    start_with_demo(manager, "--set", "service.kept-connections-max=1")
    ann, bob = Client(manager, "ann"), Client(manager, "bob")
    ann.enter()
    bob.enter()
    connection = http.client.HTTPConnection("127.0.0.1", manager.port, timeout=PATIENCE_S)
    connection.request("GET", "/metrics")
    assert "hark_connections_stored_refused_total 1\n" in connection.getresponse().read().decode()
    connection.close()
    manager.process.send_signal(signal.SIGTERM)
    start_again(manager)
    assert bob.closed() == 1012
    ann.request("get_servers")


def kept_over_crash(manager):
    """After SIGKILL those that stood at a frame border go on, and get what was stored and not told."""
    start_with_demo(manager)
    ann, bob = Client(manager, "ann"), Client(manager, "bob")
    channel = ann.enter()
    bob.enter()
    talk(bob, ann, channel, "before")
    wait_for_marks(manager, ann, 0)
    wait_for_marks(manager, bob, 0)
    manager.process.kill()
    # As if the process had been killed before it told the last event: the logbook says one rev less.
    manager.process.wait(PATIENCE_S)
    logbook = manager.stored["logbook"]
    rev, = struct.unpack("q", os.pread(logbook, 8, 16))
    os.pwrite(logbook, struct.pack("q", rev - 1), 16)
    start_again(manager)
    assert ann.event("message")["message"] == "before"
    talk(bob, ann, channel, "after")
    assert bob.event("message")["message"] == "after"
    talk(ann, bob, channel, "and back")


def cut_by_crash(manager):
    """After SIGKILL one in the middle of a frame is told to come back, and resumes; one that was being written is cut."""
    start_with_demo(manager)
    ann, bob, carla = (Client(manager, name) for name in ("ann", "bob", "carla"))
    channel = bob.enter()
    carla.enter()
    # Carla does not read, until the kernel takes no more for her.
    waiting = 0
    while waiting < 50:  # so many that some wait whatever the kernel takes in the end
        bob.request("message", channel=channel, message="x" * 3900)
        waiting = waiting + 1 if read_marks(manager)[carla.welcome["session"]] == WRITING else 0
    wait_for_marks(manager, bob, 0)
    wait_for_marks(manager, ann, 0)
    ann.connection.send(wire.text(json.dumps({"type": "ping"}))[:9])
    ann.connection.pump()
    wait_for_marks(manager, ann, READING)
    read_marks_before = read_marks(manager)
    manager.process.kill()
    start_again(manager)
    assert ann.closed() == 1012
    resume = ann.welcome["resume"]
    ann.connect(manager)
    ann.request("resume", resume=resume)
    assert read_marks_before[carla.welcome["session"]] == WRITING, read_marks_before
    code = carla.closed()
    assert code == 1006, code


def run(test):
    with tempfile.TemporaryDirectory(prefix="hark-service-") as directory:
        manager = Manager(directory)
        try:
            test(manager)
        finally:
            manager.end()


def main():
    tests = [passed_socket, watchdog, reload_signal, orderly_end, kept_over_restart, beyond_the_bound, kept_over_crash, cut_by_crash]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            run(test)
            print(f"ok {number} - {test.__doc__}")
        except Exception as error:  # a test program reports whatever went wrong, and goes on with the next
            failed += 1
            where = "\n# ".join(traceback.format_exc().splitlines())
            print(f"not ok {number} - {test.__doc__}\n# {where}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
