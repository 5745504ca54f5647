#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop program on D-Bus, for tests: reads calls of org.hark.Peer1 as lines of JSON ([serial, method, signature, args…]), and
prints what comes: {"reply": serial, "args"}, {"error": serial, "name", "message"}, {"signal", "args"}."""
import json
import sys
import threading

from dbuswire import Bus, call, types

INTERFACE = "org.hark.Peer1"


def read_calls(bus):
    for line in sys.stdin:
        serial, method, signature, *args = json.loads(line)
        bus.socket.sendall(call(serial + 10, "org.hark.Hub1", "/org/hark/Hub1", INTERFACE, method, signature, *args))
    bus.socket.shutdown(2)


def main():
    bus = Bus(sys.argv[1])
    bus.socket.sendall(call(1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"))
    threading.Thread(target=read_calls, args=(bus,), daemon=True).start()
    while True:
        kind, fields, body = bus.message()
        values = [body.value(one) for one in types(fields.get(8, ""))]
        said = None
        if kind == 2 and fields.get(5, 0) >= 10:
            said = {"reply": fields[5] - 10, "args": values}
        elif kind == 3 and fields.get(5, 0) >= 10:
            said = {"error": fields[5] - 10, "name": fields[4], "message": values[0] if values else ""}
        elif kind == 4 and fields.get(2) == INTERFACE:
            said = {"signal": fields[3], "args": values}
        if said is not None:
            print(json.dumps(said), flush=True)


main()
