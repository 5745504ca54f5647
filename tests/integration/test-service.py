#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""harkd under a service manager that is not systemd: this test passes it a listening socket and receives what it notifies.
TAP. HARK_BUILD_DIR names the build."""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import tempfile

HARKD = pathlib.Path(os.environ["HARK_BUILD_DIR"]) / "src/daemon/harkd"
PATIENCE_S = 60


class Manager:
    """What systemd does for a Type=notify service with a socket unit, as far as harkd sees it."""

    def __init__(self, directory, *options):
        self.directory = pathlib.Path(directory)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.directory / "notify"))
        self.notify.settimeout(PATIENCE_S)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.messages = []
        self.options = options

    def start(self):
        environment = dict(os.environ, NOTIFY_SOCKET=str(self.directory / "notify"), LISTEN_FDS="1",
                           LISTEN_FDNAMES="http", WATCHDOG_USEC="2000000", G_DEBUG="fatal-warnings")
        descriptor = self.listener.fileno()

        # LISTEN_PID is that of the process itself, which a shell that replaces itself knows beforehand.
        command = ["sh", "-c", 'export LISTEN_PID=$$; exec "$0" "$@"', str(HARKD), "--user", "--config",
                   str(self.directory / "harkd.conf"), "--set", f"store.path={self.directory}/hark.db", "--set",
                   "bus.type=none", *self.options]
        (self.directory / "harkd.conf").write_text("[log]\nlevel=notice\n")
        self.process = subprocess.Popen(command, env=environment, preexec_fn=lambda: os.dup2(descriptor, 3), pass_fds=(3,),
                                        stderr=subprocess.PIPE, text=True)
        self.listener.close()

    def receive(self, what):
        """Waits for a notification that says @what; all are kept."""
        while not any(what in message.split("\n") or any(line.startswith(what) for line in message.split("\n"))
                      for message in self.messages):
            self.messages.append(self.notify.recv(65536).decode())

    def forget(self):
        self.messages.clear()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


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


def run(test):
    with tempfile.TemporaryDirectory(prefix="hark-service-") as directory:
        manager = Manager(directory)
        try:
            test(manager)
        finally:
            if manager.process.poll() is None:
                manager.stop()
            manager.process.stderr.close()
            manager.notify.close()


def main():
    tests = [passed_socket, watchdog, reload_signal, orderly_end]
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            run(test)
            print(f"ok {number} - {test.__doc__}")
        except Exception as error:  # a test program reports whatever went wrong, and goes on with the next
            failed += 1
            print(f"not ok {number} - {test.__doc__}\n# {error!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
