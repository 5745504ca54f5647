#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program on D-Bus, for tests: calls a method of the hub, as a back end calls Listen () of org.hark.SocketIO1, and prints each
signal that follows as a line of JSON."""
import json
import sys

from dbuswire import Bus, call, types


def main():
    """ADDRESS [INTERFACE METHOD]: calls the method of the hub, prints its reply, and then what signals of that interface come."""
    bus = Bus(sys.argv[1])
    hub, path = "org.hark.Hub1", "/org/hark/Hub1"
    interface, method = sys.argv[2:4] if len(sys.argv) > 2 else ("org.hark.SocketIO1", "Listen")
    bus.socket.sendall(call(1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"))
    bus.socket.sendall(call(2, hub, path, interface, method))
    while True:
        kind, fields, body = bus.message()
        values = [body.value(one) for one in types(fields.get(8, ""))]
        if kind == 2 and fields.get(5) == 2:
            print(json.dumps({"signal": "listening", "args": values}), flush=True)
        elif kind == 3:
            sys.exit(fields.get(4))
        elif kind == 4 and fields.get(2) == interface:
            print(json.dumps({"signal": fields[3], "args": values}), flush=True)


main()
