# SPDX-License-Identifier: LGPL-2.1-or-later
"""permessage-deflate (RFC 7692) frame by frame, over /echo; the bytes are made by zlib."""
import os
import struct
import sys
import zlib

from wire import (BINARY, CLOSE, CONT, FIN, PING, PONG, RSV1, RSV2, TEXT, Failure, Suite, close, frame, header, short,
                  text)

suite = Suite()
TAIL = b'\x00\x00\xff\xff'
OFFER = 'Sec-WebSocket-Extensions: permessage-deflate\r\n'


def deflate(data, level=9, window=15, flush=zlib.Z_SYNC_FLUSH):
    compressor = zlib.compressobj(level, zlib.DEFLATED, -window)
    out = compressor.compress(data) + compressor.flush(flush)
    return out[:-4] if flush == zlib.Z_SYNC_FLUSH else out


def stored(data):
    """One block that is not compressed, and not the last."""
    return b'\x00' + struct.pack('<HH', len(data), len(data) ^ 0xffff) + data


def read_message(connection):
    first, payload = connection.read_frame()
    if first & RSV1:
        payload = zlib.decompressobj(-15).decompress(payload + TAIL)
    return first & 15, payload, bool(first & RSV1)


def run(connect, data, wanted, ends_with, offer, compressed):
    connection = connect()
    head = connection.upgrade(extra=offer).lower()
    if ('permessage-deflate' in head) != (offer != ''):
        raise Failure(head)
    connection.send(data if ends_with else data + close(1000))
    for opcode, payload in wanted:
        got = read_message(connection)
        if got[:2] != (opcode, payload):
            raise Failure(f'wanted {opcode} {short(payload)}, got {got[0]} {short(got[1])}')
        if got[2] and not compressed:
            raise Failure('compressed, without having agreed on it')
        if compressed and not got[2] and len(payload) > 1000 and len(deflate(payload)) < len(payload) // 2:
            raise Failure('not compressed')
    first, payload = connection.read_frame()
    if first != FIN | CLOSE or struct.unpack('>H', payload[:2])[0] != (ends_with or 1000):
        raise Failure(f'ended with {first:#x} {short(payload)}')
    connection.expect_end()


def case(name, data, wanted=(), ends_with=None, offer=OFFER, compressed=True, options=('--deflate',)):
    suite.add(name, lambda connect: run(connect, data, wanted, ends_with, offer, compressed), *options)


def message(opcode, data, **kw):
    return frame(opcode, deflate(data, **kw), flags=FIN | RSV1)


def cut(opcode, data, *sizes):
    """The frames of a message whose payload, compressed already, is cut after so many bytes each."""
    parts = []
    for size in sizes:
        parts.append(data[:size])
        data = data[size:]
    parts.append(data)
    return [frame(CONT if i else opcode, part, flags=(FIN if i == len(parts) - 1 else 0) | (0 if i else RSV1))
            for i, part in enumerate(parts)]


long = b'The quick brown fox jumps over the lazy dog. ' * 200
for size in (0, 1, 2, 10, 125, 126, 127, 1000, 4096, 65535, 65536):
    payload = (long * 8)[:size]
    case(f'text of {size} bytes', message(TEXT, payload), [(TEXT, payload)])
    case(f'binary of {size} bytes', message(BINARY, payload), [(BINARY, payload)])
for level in (0, 1, 6):
    case(f'level {level}', message(TEXT, long, level=level), [(TEXT, long)])
for window in (9, 10, 12, 14):
    case(f'a window of 2^{window}', message(TEXT, long, window=window), [(TEXT, long)])
noise = os.urandom(30000)
case('what cannot be compressed', message(BINARY, noise), [(BINARY, noise)])
case('a message that is not compressed', text('plain'), [(TEXT, b'plain')])
case('one that is, one that is not, one that is', message(TEXT, b'a') + text('b') + message(TEXT, b'c'),
     [(TEXT, b'a'), (TEXT, b'b'), (TEXT, b'c')])
case('the empty message as RFC 7692 writes it', frame(TEXT, b'\x00', flags=FIN | RSV1), [(TEXT, b'')])
case('an empty frame, which is no deflated data', frame(TEXT, b'', flags=FIN | RSV1), ends_with=1007)
case('a stored block', frame(TEXT, stored(b'Hello') + b'\x00', flags=FIN | RSV1), [(TEXT, b'Hello')])
case('two blocks', frame(TEXT, deflate(b'Hel') + TAIL + deflate(b'lo'), flags=FIN | RSV1), [(TEXT, b'Hello')])
case('the example of RFC 7692, 7.2.3.1', frame(TEXT, bytes.fromhex('f248cdc9c90700'), flags=FIN | RSV1), [(TEXT, b'Hello')])
case('the example with a last block, 7.2.3.4', frame(TEXT, bytes.fromhex('f348cdc9c9070000'), flags=FIN | RSV1),
     [(TEXT, b'Hello')])
packed = deflate(long)
case('in two fragments', b''.join(cut(TEXT, packed, 10)), [(TEXT, long)])
case('in five fragments', b''.join(cut(BINARY, packed, 1, 1, 20, 5)), [(BINARY, long)])
case('in fragments of a byte', b''.join(cut(TEXT, packed, *[1] * (len(packed) - 1))), [(TEXT, long)])
case('with an empty first fragment', b''.join(cut(TEXT, packed, 0)), [(TEXT, long)])
case('with an empty last fragment', b''.join(cut(TEXT, packed, len(packed))), [(TEXT, long)])
case('with a pong between fragments', frame(PONG, b'x').join(cut(TEXT, packed, 10)), [(TEXT, long)])
case('RSV1 on a continuation', frame(TEXT, packed[:5], flags=RSV1) + frame(CONT, packed[5:], flags=FIN | RSV1),
     ends_with=1002)
case('RSV1 on the continuation of a plain message', frame(TEXT, b'a', flags=0) + frame(CONT, b'', flags=FIN | RSV1),
     ends_with=1002)
for opcode, what in ((PING, 'ping'), (PONG, 'pong'), (CLOSE, 'close')):
    case(f'a compressed {what}', frame(opcode, deflate(b'x'), flags=FIN | RSV1), ends_with=1002)
case('RSV2', frame(TEXT, packed, flags=FIN | RSV1 | RSV2), ends_with=1002)
for size in (65537, 1 << 20, 10 << 20):
    case(f'{size} zeros', message(BINARY, bytes(size)), ends_with=1009)
    case(f'{size} spaces in two fragments', b''.join(cut(TEXT, deflate(b' ' * size), 20)), ends_with=1009)
case('a bomb whose frame goes on for ever', header(BINARY, 1 << 40, flags=FIN | RSV1, mask=b'\0\0\0\0')
     + deflate(bytes(1 << 20)), ends_with=1009)
case('a corrupt stream', frame(TEXT, b'\xff\xff\xff\xff', flags=FIN | RSV1), ends_with=1007)
case('a block of a type that does not exist', frame(TEXT, b'\x07', flags=FIN | RSV1), ends_with=1007)
case('a stored block whose lengths differ', frame(TEXT, b'\x00\x05\x00\x05\x00Hello\x00', flags=FIN | RSV1),
     ends_with=1007)
case('a stored block that ends early', frame(TEXT, stored(b'x' * 50)[:20], flags=FIN | RSV1), ends_with=1007)
case('a reference to before the message', frame(TEXT, bytes.fromhex('f200110000'), flags=FIN | RSV1),
     ends_with=1007)
case('what is not UTF-8', message(TEXT, b'\xff'), ends_with=1007)
case('what ends within a character', message(TEXT, b'\xe2\x82'), ends_with=1007)
case('what is not UTF-8, binary', message(BINARY, b'\xff'), [(BINARY, b'\xff')])
case('a character across fragments', b''.join(cut(TEXT, deflate('κόσμε'.encode(), level=0), 6)),
     [(TEXT, 'κόσμε'.encode())])
case('100 messages', b''.join(message(TEXT, long[:i]) for i in range(1, 101)), [(TEXT, long[:i]) for i in range(1, 101)])
case('compressed, without having agreed on it', message(TEXT, b'a'), ends_with=1002, offer='')
case('plain, without having agreed on it', text('a'), [(TEXT, b'a')], offer='', compressed=False)


def offer(name, value, wanted, options=('--deflate',)):
    """wanted: what must be in the response's Sec-WebSocket-Extensions; None: that there is none"""
    def check(connect):
        connection = connect()
        lines = connection.upgrade(extra=f'Sec-WebSocket-Extensions: {value}\r\n').lower().split('\r\n')
        answers = [line.split(': ', 1)[1] for line in lines if line.startswith('sec-websocket-extensions:')]
        if (wanted is None and answers) or (wanted is not None and (len(answers) != 1 or wanted not in answers[0])):
            raise Failure(f'answered {answers}')
    suite.add(f'offer: {name}', check, *options)


offer('with deflate off', 'permessage-deflate', None, ())
offer('plain', 'permessage-deflate', 'permessage-deflate')
offer('of a browser', 'permessage-deflate; client_max_window_bits', 'permessage-deflate')
offer('of an unknown extension', 'x-webkit-deflate-frame', None)
offer('of an unknown extension first', 'foo, permessage-deflate', 'permessage-deflate')
offer('with an unknown parameter', 'permessage-deflate; foo=1', None)
offer('with a window that is none', 'permessage-deflate; server_max_window_bits=7', None)
offer('with a parameter twice', 'permessage-deflate; client_no_context_takeover; client_no_context_takeover', None)
offer('bad, then good', 'permessage-deflate; foo, permessage-deflate', 'permessage-deflate')
offer('57 KB of them', ', '.join(['permessage-deflate; foo'] * 500), None)
offer('without context', 'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
      'no_context_takeover')

sys.exit(suite.main())
