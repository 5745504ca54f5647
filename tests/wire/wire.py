# SPDX-License-Identifier: LGPL-2.1-or-later
"""Raw bytes on a TCP socket to a running harkd-raw, and TAP about what came back.

A case says what is sent and every byte, or frame, that must come back, up to the end of the connection. Cases know
nothing of each other and run a few at a time.
"""
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10
TIMEOUT = 10
KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='


def mask_bytes(data, mask):
    if not data:
        return b''
    key = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, 'big') ^ int.from_bytes(key, 'big')).to_bytes(len(data), 'big')


def header(opcode, length, flags=FIN, mask=b'\x37\xfa\x21\x3d', form=None):
    """form: bits of the length field (7, 16, 64), for lengths not in their shortest form"""
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    bit = 0x80 if mask is not None else 0
    out = bytes([flags | opcode])
    if form == 7:
        out += bytes([bit | length])
    elif form == 16:
        out += bytes([bit | 126]) + struct.pack('>H', length)
    else:
        out += bytes([bit | 127]) + struct.pack('>Q', length)
    return out + (mask or b'')


def frame(opcode, payload=b'', flags=FIN, mask=b'\x37\xfa\x21\x3d', form=None):
    """A frame as a client sends it."""
    if isinstance(payload, str):
        payload = payload.encode()
    body = mask_bytes(payload, mask) if mask is not None else payload
    return header(opcode, len(payload), flags, mask, form) + body


def text(payload, **kw):
    return frame(TEXT, payload, **kw)


def close(code=None, reason=b''):
    return frame(CLOSE, b'' if code is None else struct.pack('>H', code) + reason)


class Failure(Exception):
    pass


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.out = b''
        self.data = b''
        self.ended = False
        self.deadline = time.monotonic() + TIMEOUT

    def pump(self):
        """Sends and receives what can be, waiting for one of both."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Failure(f'timed out; unread: {short(self.data)}')
        readable, writable, _ = select.select([self.socket], [self.socket] if self.out else [], [], left)
        if writable:
            try:
                self.out = self.out[self.socket.send(self.out):]
            except (BrokenPipeError, ConnectionResetError):
                self.out = b''
        if readable:
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                raise Failure('the connection was reset')
            self.data += data
            self.ended = data == b''

    def send(self, data, bytewise=False):
        if not bytewise:
            self.out += data
            return
        for i in range(len(data)):
            self.out += data[i:i + 1]
            while self.out and not self.ended:
                self.pump()

    def read_until(self, mark):
        while mark not in self.data:
            if self.ended:
                raise Failure(f'ended early; unread: {short(self.data)}')
            self.pump()
        head, _, self.data = self.data.partition(mark)
        return head

    def read(self, n):
        while len(self.data) < n:
            if self.ended:
                raise Failure(f'ended early; unread: {short(self.data)}')
            self.pump()
        out, self.data = self.data[:n], self.data[n:]
        return out

    def read_frame(self):
        """Returns (flags and opcode, payload); a server masks nothing and uses the shortest length."""
        first, length = self.read(2)
        if length & 0x80:
            raise Failure('the server masked a frame')
        if length == 126:
            length, = struct.unpack('>H', self.read(2))
        elif length == 127:
            length, = struct.unpack('>Q', self.read(8))
        return first, self.read(length)

    def expect_end(self):
        while not self.ended:
            self.pump()
        if self.data:
            raise Failure(f'more than expected: {short(self.data)}')

    def upgrade(self, path='/echo', extra=''):
        self.send(request(path=path, extra=extra))
        head = self.read_until(b'\r\n\r\n').decode('latin-1')
        if not head.startswith('HTTP/1.1 101 '):
            raise Failure(f'no upgrade: {head}')
        return head

    def close(self):
        self.socket.close()


def short(data):
    return repr(data if len(data) < 200 else data[:200] + b'...')


def request(method='GET', path='/echo', version='HTTP/1.1', host='localhost', upgrade='websocket',
            connection='Upgrade', key=KEY, ws_version='13', extra=''):
    lines = [f'{method} {path} {version}']
    for name, value in (('Host', host), ('Upgrade', upgrade), ('Connection', connection),
                        ('Sec-WebSocket-Key', key), ('Sec-WebSocket-Version', ws_version)):
        if value is not None:
            lines.append(f'{name}: {value}')
    return ('\r\n'.join(lines) + '\r\n' + extra + '\r\n').encode('latin-1')


class Server:
    def __init__(self, path, *options):
        self.process = subprocess.Popen([path, '0', *options], stdout=subprocess.PIPE)
        line = self.process.stdout.readline().decode()
        self.port = int(line.rsplit(':', 1)[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TIMEOUT)


class Suite:
    def __init__(self):
        self.cases = []
        self.servers = {}
        self.path = sys.argv[1]

    def add(self, name, run, *options):
        """run (connect): connect () makes a Connection to a harkd-raw with these options."""
        self.cases.append((name, run, options))

    def run_one(self, case):
        name, run, options = case
        made = []

        def connect():
            made.append(Connection(self.servers[options].port))
            return made[-1]
        try:
            run(connect)
            return None
        except Failure as failure:
            return str(failure)
        except Exception:
            return traceback.format_exc()
        finally:
            for connection in made:
                connection.close()

    def main(self):
        names = [case[0] for case in self.cases]
        assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
        for options in {case[2] for case in self.cases}:
            self.servers[options] = Server(self.path, *options)
        bad = 0
        print(f'1..{len(self.cases) + 1}', flush=True)
        with ThreadPoolExecutor(8) as pool:
            for i, (case, failure) in enumerate(zip(self.cases, pool.map(self.run_one, self.cases)), 1):
                bad += failure is not None
                print(f'{"not ok" if failure else "ok"} {i} - {case[0]}')
                if failure:
                    print('# ' + failure.replace('\n', '\n# '))
        codes = [server.stop() for server in self.servers.values()]
        bad += any(codes)
        print(f'{"not ok" if any(codes) else "ok"} {len(self.cases) + 1} - the server ends cleanly')
        if any(codes):
            print(f'# exit codes {codes}')
        return 1 if bad else 0
