#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A chat client for Hark in plain Python, written from doc/protocol.md alone.

  chat.py HOST:PORT CHANNEL        the token is read from the environment: HARK_TOKEN

It lists the user's servers and channels, loads the channel of that name, prints what is said in it and says what is
typed, a message a line. When the connection is lost it comes back and resumes: what was missed is printed then, and
what was not acknowledged is sent again under its old id, so that nothing is lost and nothing is there twice.
"""

import base64
import collections
import hashlib
import itertools
import json
import os
import random
import select
import socket
import struct
import sys
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

# Close codes after which coming back changes nothing, and those that ask for a long pause (section 9).
FINAL = {1002, 1003, 1007, 1009, 4001, 4011}
LONG_PAUSE = {1008, 1013}


class Closed(Exception):
    """The connection is over: `code` as in section 9, or the status with which the handshake was refused."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code


class Refused(Exception):
    """A request was answered with an error."""

    def __init__(self, reply):
        super().__init__(f"{reply['code']}: {reply['message']}")
        self.code = reply["code"]


class Connection:
    """One WebSocket: text messages in and out."""

    def __init__(self, host, port, token, timeout=30):
        self.socket = socket.create_connection((host, port), timeout)
        self.received = b""
        key = base64.b64encode(os.urandom(16))
        self.socket.sendall(b"GET /ws/ HTTP/1.1\r\nHost: %b:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\nAuthorization: Bearer %b\r\n\r\n"
                            % (host.encode(), port, key, token.encode()))
        while b"\r\n\r\n" not in self.received:
            self.read()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        status, *fields = head.decode("latin-1").split("\r\n")
        if " 101 " not in status:
            raise Closed(int(status.split()[1]), "the handshake was refused")
        headers = {name.strip().lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        if headers.get("sec-websocket-accept") != base64.b64encode(hashlib.sha1(key + GUID).digest()).decode():
            raise Closed(1002, "that is no WebSocket server")

    def fileno(self):
        return self.socket.fileno()

    def close(self):
        self.socket.close()

    def send(self, message):
        self._send_frame(TEXT, json.dumps(message).encode())

    def receive(self):
        """Returns the next message, waiting for it."""
        while True:
            message = self._take()
            if message is not None:
                return message
            self.read()

    def take_all(self):
        """Returns the messages that have been read already."""
        return list(iter(self._take, None))

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed(1006, "the connection was cut")
        self.received += data

    def _send_frame(self, opcode, data):
        mask = os.urandom(4)
        size = (bytes([0x80 | len(data)]) if len(data) < 126 else
                struct.pack("!BH", 0x80 | 126, len(data)) if len(data) < 65536 else
                struct.pack("!BQ", 0x80 | 127, len(data)))
        masked = bytes(a ^ b for a, b in zip(data, itertools.cycle(mask)))
        self.socket.sendall(bytes([0x80 | opcode]) + size + mask + masked)

    def _take_frame(self):
        """Returns (opcode, data), or None while there is no whole frame. The server neither masks nor fragments."""
        if len(self.received) < 2:
            return None
        size, start = self.received[1] & 0x7f, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(self.received[2:start], "big")
        if len(self.received) < start + size:
            return None
        frame = (self.received[0] & 15, self.received[start:start + size])
        self.received = self.received[start + size:]
        return frame

    def _take(self):
        while True:
            frame = self._take_frame()
            if frame is None:
                return None
            opcode, data = frame
            if opcode == TEXT:
                return json.loads(data)
            if opcode == PING:
                self._send_frame(PONG, data)
            elif opcode == CLOSE:
                self._send_frame(CLOSE, data[:2])
                code = int.from_bytes(data[:2], "big") if data else 1005
                raise Closed(code, data[2:].decode())


class Session:
    """Requests and their replies over a connection; whatever else comes waits in `events`."""

    def __init__(self, host, port, token):
        self.connection = Connection(host, port, token)
        self.events = collections.deque()
        self.refs = itertools.count(1)
        self.welcome = self.connection.receive()
        if self.welcome["type"] != "welcome":
            raise Closed(1002, "that does not begin as Hark does")

    def post(self, type, **fields):
        """Sends a request; returns the `ref` that its reply will have."""
        ref = next(self.refs)
        self.connection.send({"type": type, "ref": ref, **fields})
        return ref

    def wait(self, ref):
        """Returns the reply to the request of that `ref`."""
        while True:
            message = self.connection.receive()
            if message.get("ref") != ref:
                self.events.append(message)
            elif message["type"] == "error":
                raise Refused(message)
            else:
                return message

    def request(self, type, **fields):
        return self.wait(self.post(type, **fields))


class Chat:
    def __init__(self, host, port, token, channel):
        self.host, self.port, self.token, self.wanted = host, port, token, channel
        self.channel = None  # its id
        self.seq = 0  # of the last event of the channel that was printed
        self.resume = None  # the secret of the session before
        self.unacknowledged = {}  # temporary id → text, in order
        self.ids = itertools.count(int(time.time() * 1000))
        self.session = None

    def connect(self):
        self.session = Session(self.host, self.port, self.token)
        if self.resume is None or not self.take_up():
            self.load()
        self.resume = self.session.welcome["resume"]
        for id, text in self.unacknowledged.items():
            self.send(id, text)
        print("connected", flush=True)

    def load(self):
        """Everything anew: servers, channels, the newest messages."""
        for server in self.session.request("get_servers")["servers"]:
            reply = self.session.request("get_server_channels", server_id=server["server_id"])
            for channel in reply["channels"]:
                print(f"{server['server_name']} / {channel['name']} ({channel['unread']} unread)")
                if channel["name"] == self.wanted and self.channel is None:
                    self.channel = channel["channel_id"]
        if self.channel is None:
            sys.exit(f"there is no channel {self.wanted}")
        chunk = self.session.request("get_messages", channel_id=self.channel, limit=20)
        for message in chunk["messages"]:
            self.show(message)
        self.seq = max(self.seq, chunk["seq"])

    def take_up(self):
        """Whether the former session goes on, with all that was missed."""
        try:
            reply = self.session.request("resume", resume=self.resume, cursors={f"channel/{self.channel}": self.seq})
        except Refused as refusal:
            if refusal.code != "not_found":
                raise
            return False
        for topic in reply["topics"]:
            if topic["topic"] == f"channel/{self.channel}" and topic["result"] == "reset":
                return False
            for event in topic.get("events", []):
                self.handle(event)
        return True

    def say(self, text):
        id = next(self.ids)
        self.unacknowledged[id] = text
        self.send(id, text)

    def send(self, id, text):
        self.session.post("message", channel=self.channel, message=text, id=id)

    def handle(self, message):
        if message["type"] == "message" and "ref" in message:
            self.unacknowledged.pop(message["id"], None)
        elif message["type"] == "message" and message["channel"] == self.channel:
            self.show(message)
        elif message["type"] == "error":
            print(f"refused: {message['message']}", file=sys.stderr)

    def show(self, message):
        if message["seq"] > self.seq:
            self.seq = message["seq"]
            print(f"{message['author']}: {message['message']}", flush=True)

    def run(self):
        """Until standard input ends and everything that was said is acknowledged."""
        typed, ended = b"", False
        while True:
            # What came with the last reply is read already, and no reason for select to return.
            self.session.events.extend(self.session.connection.take_all())
            while self.session.events:
                self.handle(self.session.events.popleft())
            if ended and not self.unacknowledged:
                return
            ready, _, _ = select.select([self.session.connection] + ([] if ended else [sys.stdin]), [], [])
            if self.session.connection in ready:
                self.session.connection.read()
            if sys.stdin in ready:
                data = os.read(sys.stdin.fileno(), 4096)
                *lines, typed = (typed + data).split(b"\n")
                ended = not data
                for line in lines:
                    self.say(line.decode())


def main():
    if len(sys.argv) != 3 or "HARK_TOKEN" not in os.environ:
        sys.exit(__doc__)
    host, port = sys.argv[1].rsplit(":", 1)
    chat = Chat(host, int(port), os.environ["HARK_TOKEN"], sys.argv[2])
    tries = 0
    while True:
        try:
            chat.connect()
            tries = 0
            chat.run()
            return
        except Closed as closed:
            print(f"closed: {closed}", file=sys.stderr)
            if closed.code in FINAL or 400 <= closed.code < 500:
                sys.exit(1)
            tries += 4 if closed.code in LONG_PAUSE else 1
        except OSError as error:
            print(f"not connected: {error}", file=sys.stderr)
            tries += 1
        # Twice as long after each failure, up to a minute, and never all clients at the same moment.
        time.sleep(random.uniform(0.5, 1) * min(60, 0.25 * 2 ** tries))


if __name__ == "__main__":
    main()
