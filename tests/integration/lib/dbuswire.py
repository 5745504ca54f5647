# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bus's protocol by hand, as much of it as tests need: nothing but the standard library would do, and a library would not
send what is wrong."""
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


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, to):
        self.data += b"\0" * (-len(self.data) % to)

    def number(self, kind, size, value):
        self.align(size)
        self.data += struct.pack("<" + kind, value)

    def write(self, kind, value):
        """Of a whole type: kind is its signature. A variant is (signature, value)."""
        if kind[0] == "a":
            self.array(kind[1:], value)
        elif kind[0] in "({":
            self.align(8)
            for one, member in zip(types(kind[1:-1]), value):
                self.write(one, member)
        elif kind == "v":
            self.write("g", value[0])
            self.write(*value)
        elif kind in "so":
            self.align(4)
            self.data += text(value)
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "b":
            self.number("I", 4, int(value))
        else:
            self.number({"x": "q", "t": "Q", "u": "I", "i": "i"}[kind], 4 if kind in "ui" else 8, value)

    def array(self, element, value):
        self.align(4)
        at = len(self.data)
        self.data += b"\0\0\0\0"
        self.align(8 if element[0] in "({xt" else 4)
        start = len(self.data)
        for member in value.items() if isinstance(value, dict) else value:
            self.write(element, member)
        struct.pack_into("<I", self.data, at, len(self.data) - start)


def call(serial, destination, path, interface, member, signature="", *args):
    body = Writer()
    for kind, value in zip(types(signature), args):
        body.write(kind, value)
    fields = b""
    for code, kind, value in ((1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination)):
        fields = pad(fields, 8) + field(code, kind, value)
    if signature:
        fields = pad(fields, 8) + bytes([8, 1]) + b"g\0" + bytes([len(signature)]) + signature.encode() + b"\0"
    head = b"l\1\0\1" + struct.pack("<III", len(body.data), serial, len(fields))
    return pad(head + fields, 8) + bytes(body.data)


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
        """Of a whole type: kind is its signature."""
        if kind[0] == "a":
            return self.array(kind[1:])
        if kind[0] in "({":
            self.align(8)
            return [self.value(one) for one in types(kind[1:-1])]
        if kind == "v":
            return self.value(self.signature())
        if kind in "so":
            return self.string()
        if kind == "g":
            return self.signature()
        if kind == "b":
            return self.number("I", 4) != 0
        return self.number({"x": "q", "t": "Q", "u": "I", "i": "i"}[kind], 4 if kind in "ui" else 8)

    def array(self, element):
        length = self.number("I", 4)
        self.align(8 if element[0] in "({xt" else 4)
        end = self.at + length
        values = []
        while self.at < end:
            values.append(self.value(element))
        return dict(values) if element[0] == "{" else values


def types(signature):
    """The whole types that a signature is made of."""
    at = 0
    while at < len(signature):
        start = at
        while signature[at] == "a":
            at += 1
        depth = 0
        while True:
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[at], 0)
            at += 1
            if depth == 0:
                break
        yield signature[start:at]


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
