# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers that bench/run measures: how each is started, and what the load generator must know of it.

A server is a context manager: inside the `with` it runs, on a free port, pinned to its CPU; afterwards it is gone.
"""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE / "peers"
NCHAN_MODULES = ["/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so"]
START_SECONDS = 15


class NotAvailable(Exception):
    """This machine or build does not have the server; the message says what is missing."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(process, port, seconds=START_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with status {process.returncode} before it listened")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def stop(process, seconds=10):
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def need(path, what):
    if not pathlib.Path(path).exists():
        raise NotAvailable(f"{what}: there is no {path}")
    return str(path)


def need_program(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        raise NotAvailable(f"{name} is not installed")
    return path


class Server:
    """One process that listens on a port; subclasses say which."""

    name = ""
    protocol = "raw"
    load_args = ()

    def __init__(self, settings):
        self.settings = settings
        self.process = None
        self.port = None

    def check(self):
        """Raises NotAvailable."""

    def of(self, scenario):
        """Returns the server as the scenario wants it."""
        return self

    def command(self):
        raise NotImplementedError

    def popen_options(self):
        return {}

    def __enter__(self):
        self.port = free_port()
        command = ["taskset", "-c", str(self.settings.server_cpu), *self.command()]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sys.stderr,
                                        **self.popen_options())
        try:
            wait_for_port(self.process, self.port)
        except BaseException:
            stop(self.process)
            raise
        return self

    def __exit__(self, *exc):
        stop(self.process)

    def args(self):
        """What `load` is told of this server."""
        return ["--label", self.name, "--protocol", self.protocol, "--port", str(self.port),
                "--pid", str(self.process.pid), *self.load_args]


class HarkdRaw(Server):
    """The listener, reactor and frame codec of harkd and nothing behind them: Hark's own limit."""

    name = "harkd-raw"

    def check(self):
        need(self.settings.harkd_raw, "harkd-raw")

    def command(self):
        return [str(self.settings.harkd_raw), str(self.port)]


class Node(Server):
    script = ""
    options = ()
    load_args = ("--settle-signal", str(int(signal.SIGUSR2)))  # collect garbage, so that memory is what is held

    def check(self):
        need_program("node")
        need(PEERS / "node_modules", "npm ci in bench/peers")

    def command(self):
        return ["node", "--expose-gc", str(PEERS / self.script), str(self.port), *self.options]


class Ws(Node):
    name = "ws"
    script = "ws.js"


class WsCorked(Node):
    name = "ws-corked"
    script = "ws.js"
    options = ("--corked",)


class SocketIo(Node):
    name = "socket.io"
    protocol = "socketio"
    script = "socketio.js"


class Nchan(Server):
    name = "nchan"
    protocol = "nchan"
    load_args = ("--tree",)

    def __init__(self, settings):
        super().__init__(settings)
        self.directory = None

    def find_module(self):
        for path in NCHAN_MODULES:
            if os.path.exists(path):
                return path
        raise NotAvailable("nginx's nchan module is not installed")

    def check(self):
        need_program("nginx")
        self.find_module()

    def command(self):
        template = (PEERS / "nchan.conf.in").read_text()
        files = self.settings.files
        values = {"MODULE": self.find_module(), "FILES": files, "CONNECTIONS": files - 100, "DIR": self.directory.name,
                  "PORT": self.port}
        for key, value in values.items():
            template = template.replace(f"@{key}@", str(value))
        path = os.path.join(self.directory.name, "nginx.conf")
        pathlib.Path(path).write_text(template)
        return [need_program("nginx"), "-c", path, "-p", self.directory.name, "-e", "stderr"]

    def popen_options(self):
        return {"user": "nobody"} if os.geteuid() == 0 else {}

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="hark-bench-nchan-")
        if os.geteuid() == 0:
            os.chown(self.directory.name, pwd.getpwnam("nobody").pw_uid, -1)
        try:
            return super().__enter__()
        except BaseException:
            self.directory.cleanup()
            raise

    def __exit__(self, *exc):
        super().__exit__(*exc)
        self.directory.cleanup()


class Kernel(Server):
    """No server: what the kernel alone takes, measured by the generator on the server's CPU."""

    name = "kernel"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    def args(self):
        return ["--label", self.name]
