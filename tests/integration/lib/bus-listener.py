#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A back end on D-Bus, for tests: listens to org.hark.SocketIO1 and prints each signal as a line of JSON.

Nothing but the standard library and gdbus' own tool would do: so it speaks the bus's protocol by hand, as much of it as
it takes to call Listen() and to read signals whose arguments are strings, booleans and 64-bit numbers."""
import json
import os
import socket
import struct
import sys


def pad(data, to):
    return data + b"\0" * (-len(data) % to)


def text(value):
    raw = value.encode()
    return struct.pack("<I", len(raw)) + raw + b"\0"


def field(code, kind, value):
    return bytes([code, 1]) + kind.encode() + b"\0" + (text(value) if kind in "so" else b"")


def call(serial, destination, path, interface, member):
    fields = b""
    for code, kind, value in ((1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination)):
        fields = pad(fields, 8) + field(code, kind, value)
    head = b"l\1\0\1" + struct.pack("<III", 0, serial, len(fields))
    return pad(head + fields, 8)


class Reader:
    """Values of a message, little-endian as we asked for by sending so; the bus keeps a sender's order, ours is x86's."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def align(self, to):
        self.at += -self.at % to

    def number(self, kind, size):
        self.align(size)
        value = struct.unpack_from("<" + kind, self.data, self.at)[0]
        self.at += size
        return value

    def string(self):
        length = self.number("I", 4)
        value = self.data[self.at:self.at + length].decode()
        self.at += length + 1
        return value

    def signature(self):
        length = self.data[self.at]
        value = self.data[self.at + 1:self.at + 1 + length].decode()
        self.at += length + 2
        return value

    def value(self, kind):
        if kind in "so":
            return self.string()
        if kind == "g":
            return self.signature()
        if kind == "b":
            return self.number("I", 4) != 0
        return self.number({"x": "q", "t": "Q", "u": "I"}[kind], 4 if kind == "u" else 8)


class Bus:
    def __init__(self, address):
        options = dict(part.split("=", 1) for part in address.split(":", 1)[1].split(","))
        where = options.get("path") or "\0" + options["abstract"]
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(where)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
        while not self.read(1) == b"\n":
            pass

    def read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                sys.exit(0)
            data += more
        return data

    def message(self):
        head = self.read(16)
        body_len, _, fields_len = struct.unpack_from("<III", head, 4)
        fields = Reader(self.read(fields_len + -fields_len % 8)[:fields_len])
        body = Reader(self.read(body_len))
        found = {}
        while fields.at < fields_len:
            fields.align(8)
            code = fields.data[fields.at]
            fields.at += 1
            found[code] = fields.value(fields.signature())
        return head[1], found, body


def main():
    bus = Bus(sys.argv[1])
    hub, path, interface = "org.hark.Hub1", "/org/hark/Hub1", "org.hark.SocketIO1"
    bus.socket.sendall(call(1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"))
    bus.socket.sendall(call(2, hub, path, interface, "Listen"))
    while True:
        kind, fields, body = bus.message()
        if kind == 2 and fields.get(5) == 2:
            print(json.dumps({"signal": "listening"}), flush=True)
        elif kind == 3:
            sys.exit(fields.get(4))
        elif kind == 4 and fields.get(2) == interface:
            values = [body.value(one) for one in fields.get(8, "")]
            print(json.dumps({"signal": fields[3], "args": values}), flush=True)


main()
