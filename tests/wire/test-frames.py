# SPDX-License-Identifier: LGPL-2.1-or-later
"""RFC 6455 frame by frame, over /echo without extensions."""
import struct
import sys

from wire import (BINARY, CLOSE, CONT, FIN, PING, PONG, RSV1, RSV2, RSV3, TEXT, Failure, Suite, close, frame, header,
                  short, text)

suite = Suite()
OPCODES = {CONT: 'continuation', TEXT: 'text', BINARY: 'binary', CLOSE: 'close', PING: 'ping', PONG: 'pong'}


def run(connect, steps, ends_with, bytewise=False, skip=()):
    """steps: (bytes to send, [(opcode, payload) that must come back]). ends_with: the code in the server's close frame,
    '' for one without; None: nothing was wrong, and the connection still answers our own close frame."""
    connection = connect()
    connection.upgrade()
    if ends_with is None:
        steps = steps + [(close(1000), [])]
    for data, wanted in steps:
        connection.send(data, bytewise)
        for opcode, payload in wanted:
            got = connection.read_frame()
            if got != (FIN | opcode, payload):
                raise Failure(f'wanted {OPCODES[opcode]} {short(payload)}, got {got[0]:#x} {short(got[1])}')
    first, payload = connection.read_frame()
    while first & 15 in skip:
        first, payload = connection.read_frame()
    if first != FIN | CLOSE:
        raise Failure(f'wanted a close frame, got {first:#x} {short(payload)}')
    code = '' if payload == b'' else struct.unpack('>H', payload[:2])[0]
    if code != (1000 if ends_with is None else ends_with):
        raise Failure(f'closed with {code} {payload[2:]}')
    connection.expect_end()


def case(name, data, wanted=(), ends_with=None, **kw):
    suite.add(name, lambda connect: run(connect, [(data, list(wanted))], ends_with, **kw))


def steps(name, *list_of_steps, ends_with=None, **kw):
    suite.add(name, lambda connect: run(connect, list(list_of_steps), ends_with, **kw))


def fragments(*parts, opcode=TEXT, between=b''):
    out = b''
    for i, part in enumerate(parts):
        out += frame(CONT if i else opcode, part, flags=FIN if i == len(parts) - 1 else 0)
        if i < len(parts) - 1:
            out += between
    return out


# Lengths
for size in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 123, 124, 125, 126, 127, 128, 129, 255, 256, 257, 1000, 4095,
             4096, 4097, 16384, 32767, 32768, 65533, 65534, 65535, 65536):
    payload = bytes(0x20 + i % 0x5f for i in range(size))
    case(f'text of {size} bytes comes back', text(payload), [(TEXT, payload)])
    payload = bytes(i * 7 % 256 for i in range(size))
    case(f'binary of {size} bytes comes back', frame(BINARY, payload), [(BINARY, payload)])
for size in (0, 1, 125, 126, 127, 300):
    payload = b'x' * size
    case(f'text of {size} bytes, byte by byte', text(payload), [(TEXT, payload)], bytewise=True)
    case(f'binary of {size} bytes, byte by byte', frame(BINARY, payload), [(BINARY, payload)], bytewise=True)
for cut in range(1, 10):
    data = text('x' * 200)
    steps(f'a frame in two pieces, the first of {cut} bytes',
          (data[:cut], []), (data[cut:], [(TEXT, b'x' * 200)]))
for mask in (b'\0\0\0\0', b'\xff\xff\xff\xff', b'\x00\x00\x00\x01', b'\x80\x00\x00\x00', b'abcd'):
    case(f'mask {mask.hex()}', text('The quick brown fox', mask=mask), [(TEXT, b'The quick brown fox')])
    case(f'binary with mask {mask.hex()} at an odd length', frame(BINARY, b'\0\1\2\3\4\5\6', mask=mask),
         [(BINARY, b'\0\1\2\3\4\5\6')])

# Lengths that are wrong
for size in (0, 1, 124, 125):
    case(f'{size} bytes in a 16-bit length', text(b'x' * size, form=16), ends_with=1002)
    case(f'{size} bytes in a 64-bit length', text(b'x' * size, form=64), ends_with=1002)
for size in (126, 127, 65535):
    case(f'{size} bytes in a 64-bit length, ', text(b'x' * size, form=64), ends_with=1002)
    case(f'binary of {size} bytes announced in 64 bits and not sent', header(BINARY, size, form=64), ends_with=1002)
for length in (1 << 63, (1 << 63) + 5, (1 << 64) - 1):
    case(f'text of {length:#x} bytes', header(TEXT, length), ends_with=1002)
    case(f'binary of {length:#x} bytes', header(BINARY, length), ends_with=1002)
    case(f'text of {length:#x} bytes, byte by byte', header(TEXT, length), ends_with=1002, bytewise=True)
for length in (65537, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, (1 << 63) - 1):
    case(f'text announced with {length:#x} bytes is too large before any came', header(TEXT, length), ends_with=1009)
    case(f'binary announced with {length:#x} bytes is too large', header(BINARY, length) + b'x' * 10, ends_with=1009)
case('a text of 65537 bytes that is sent', text(b'x' * 65537), ends_with=1009)
case('two fragments of together 65537 bytes', fragments(b'x' * 32768, b'y' * 32769), ends_with=1009)
case('two fragments of together 65536 bytes', fragments(b'x' * 32768, b'y' * 32768),
     [(TEXT, b'x' * 32768 + b'y' * 32768)])
case('the fragment that passes the bound, announced', frame(TEXT, b'x' * 65536, flags=0) + header(CONT, 1, flags=0),
     ends_with=1009)
case('a fragment of 2^62 bytes', frame(TEXT, b'x', flags=0) + header(CONT, 1 << 62), ends_with=1009)
case('65 fragments of 1 KiB', fragments(*[b'x' * 1024] * 65), ends_with=1009)
case('64 fragments of 1 KiB', fragments(*[b'x' * 1024] * 64), [(TEXT, b'x' * 65536)])
case('1024 fragments of a byte', fragments(*[b'x'] * 1024), [(TEXT, b'x' * 1024)])
case('1025 fragments of a byte', fragments(*[b'x'] * 1025), ends_with=1008)
case('1100 empty fragments', frame(TEXT, b'', flags=0) + frame(CONT, b'', flags=0) * 1100, ends_with=1008)
case('after a message at the bound, another', text(b'x' * 65536) + text('y'), [(TEXT, b'x' * 65536), (TEXT, b'y')])

# Reserved bits and opcodes
for bits in range(1, 8):
    flags = (RSV1 if bits & 4 else 0) | (RSV2 if bits & 2 else 0) | (RSV3 if bits & 1 else 0)
    for opcode, what in OPCODES.items():
        before = frame(TEXT, 'a', flags=0) if opcode == CONT else b''
        case(f'{what} with reserved bits {bits:03b}', before + frame(opcode, b'', flags=FIN | flags), ends_with=1002)
    case(f'unfinished text with reserved bits {bits:03b}', frame(TEXT, b'a', flags=flags), ends_with=1002)
for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    case(f'opcode {opcode}', frame(opcode), ends_with=1002)
    case(f'opcode {opcode} with a payload', frame(opcode, b'payload'), ends_with=1002)
    case(f'opcode {opcode} without FIN', frame(opcode, b'a', flags=0), ends_with=1002)
    case(f'opcode {opcode} inside of a message', frame(TEXT, 'a', flags=0) + frame(opcode, b'') + frame(CONT, 'b'),
         ends_with=1002)
    case(f'opcode {opcode} behind a message', text('first') + frame(opcode), [(TEXT, b'first')], ends_with=1002)

# Masking
for opcode, what in OPCODES.items():
    before = frame(TEXT, 'a', flags=0) if opcode == CONT else b''
    case(f'empty {what} without a mask', before + frame(opcode, b'', mask=None), ends_with=1002)
    case(f'{what} of 2 bytes without a mask', before + frame(opcode, b'\x03\xe8', mask=None), ends_with=1002)
case('text of 200 bytes without a mask', text(b'x' * 200, mask=None), ends_with=1002)
case('text without a mask behind one with', text('a') + text('b', mask=None), [(TEXT, b'a')], ends_with=1002)

# Ping and pong
for size in (0, 1, 2, 16, 124, 125):
    payload = bytes((i * 5 + 128) % 256 for i in range(size))
    case(f'ping of {size} bytes', frame(PING, payload), [(PONG, payload)])
    case(f'unasked pong of {size} bytes', frame(PONG, payload) + text('after'), [(TEXT, b'after')])
    case(f'ping of {size} bytes, byte by byte', frame(PING, payload), [(PONG, payload)], bytewise=True)
for size in (126, 127, 1000, 65536):
    for opcode in (PING, PONG, CLOSE):
        case(f'{OPCODES[opcode]} of {size} bytes', frame(opcode, b'x' * size), ends_with=1002)
for opcode in (PING, PONG, CLOSE):
    what = OPCODES[opcode]
    case(f'{what} without FIN', frame(opcode, b'', flags=0), ends_with=1002)
    case(f'{what} in two fragments', frame(opcode, b'ab', flags=0) + frame(CONT, b'cd'), ends_with=1002)
    case(f'{what} in a 16-bit length', frame(opcode, b'', form=16), ends_with=1002)
    case(f'{what} in a 64-bit length', frame(opcode, b'ab', form=64), ends_with=1002)
steps('three pings, each after the pong to the one before', (frame(PING, b'1'), [(PONG, b'1')]),
      (frame(PING, b'2'), [(PONG, b'2')]), (frame(PING, b'3'), [(PONG, b'3')]))
case('ping flood', frame(PING, b'flood') * 200, ends_with=1008, skip=(PONG,))
case('ping flood of empty pings', frame(PING) * 1000, ends_with=1008, skip=(PONG,))
case('ping flood between fragments', frame(TEXT, 'a', flags=0) + frame(PING) * 200, ends_with=1008, skip=(PONG,))
case('32 pings are no flood', frame(PING, b'x') * 32, skip=(PONG,))
case('1000 pongs are no flood', frame(PONG, b'x') * 1000 + text('a'), [(TEXT, b'a')])
steps('ping, then a message', (frame(PING, b'p'), [(PONG, b'p')]), (text('m'), [(TEXT, b'm')]))

# Fragments
for opcode in (TEXT, BINARY):
    what = OPCODES[opcode]
    case(f'{what} in two', fragments(b'Hel', b'lo', opcode=opcode), [(opcode, b'Hello')])
    case(f'{what} in three', fragments(b'H', b'ell', b'o', opcode=opcode), [(opcode, b'Hello')])
    case(f'{what} with an empty first', fragments(b'', b'Hello', opcode=opcode), [(opcode, b'Hello')])
    case(f'{what} with an empty middle', fragments(b'Hel', b'', b'lo', opcode=opcode), [(opcode, b'Hello')])
    case(f'{what} with an empty last', fragments(b'Hello', b'', opcode=opcode), [(opcode, b'Hello')])
    case(f'{what} of nothing in three', fragments(b'', b'', b'', opcode=opcode), [(opcode, b'')])
    case(f'{what} in bytes', fragments(*[bytes([c]) for c in b'in many parts'], opcode=opcode),
         [(opcode, b'in many parts')])
    case(f'{what} in three, byte by byte', fragments(b'H', b'ell', b'o', opcode=opcode), [(opcode, b'Hello')],
         bytewise=True)
    case(f'{what} in 300 fragments of 200 bytes', fragments(*[b'x' * 200] * 300, opcode=opcode),
         [(opcode, b'x' * 60000)])
    case(f'{what} with a pong between', fragments(b'a', b'b', opcode=opcode, between=frame(PONG, b'p')),
         [(opcode, b'ab')])
    steps(f'{what} with an answered ping between', (frame(opcode, b'a', flags=0) + frame(PING, b'p'), [(PONG, b'p')]),
          (frame(CONT, b'b'), [(opcode, b'ab')]))
    steps(f'{what} with pings between three fragments',
          (frame(opcode, b'a', flags=0) + frame(PING, b'1'), [(PONG, b'1')]),
          (frame(CONT, b'b', flags=0) + frame(PING, b'2'), [(PONG, b'2')]), (frame(CONT, b'c'), [(opcode, b'abc')]))
    case(f'{what} inside of a fragmented text', frame(TEXT, 'a', flags=0) + frame(opcode, b'b'), ends_with=1002)
    case(f'{what} inside of a fragmented binary', frame(BINARY, b'a', flags=0) + frame(opcode, b'b'), ends_with=1002)
    case(f'unfinished {what} inside of a fragmented one', frame(opcode, b'a', flags=0) * 2, ends_with=1002)
    case(f'continuation behind a whole {what}', frame(opcode, b'a') + frame(CONT, b'b'), [(opcode, b'a')],
         ends_with=1002)
    case(f'continuation behind a fragmented {what}', fragments(b'a', b'b', opcode=opcode) + frame(CONT, b'c'),
         [(opcode, b'ab')], ends_with=1002)
    case(f'{what} never finished, then a close frame', frame(opcode, b'a', flags=0) + close(1000), ends_with=1000)
    case(f'two fragmented {what}s', fragments(b'a', b'b', opcode=opcode) + fragments(b'c', b'd', opcode=opcode),
         [(opcode, b'ab'), (opcode, b'cd')])
case('a continuation first', frame(CONT, b'a'), ends_with=1002)
case('an unfinished continuation first', frame(CONT, b'a', flags=0), ends_with=1002)
case('an empty continuation first', frame(CONT, b''), ends_with=1002)

# UTF-8
GOOD = {
    'ASCII': b'Hello', 'NUL': b'\0', 'DEL': b'\x7f', 'U+0080': b'\xc2\x80', 'U+07FF': b'\xdf\xbf',
    'U+0800': b'\xe0\xa0\x80', 'U+0FFF': b'\xe0\xbf\xbf', 'U+1000': b'\xe1\x80\x80', 'U+CFFF': b'\xec\xbf\xbf',
    'U+D7FF': b'\xed\x9f\xbf', 'U+E000': b'\xee\x80\x80', 'U+FFFD': b'\xef\xbf\xbd', 'U+FFFE': b'\xef\xbf\xbe',
    'U+FFFF': b'\xef\xbf\xbf', 'U+FEFF': b'\xef\xbb\xbf', 'U+10000': b'\xf0\x90\x80\x80', 'U+3FFFF': b'\xf0\xbf\xbf\xbf',
    'U+40000': b'\xf1\x80\x80\x80', 'U+FFFFF': b'\xf3\xbf\xbf\xbf', 'U+100000': b'\xf4\x80\x80\x80',
    'U+10FFFF': b'\xf4\x8f\xbf\xbf', 'Greek': 'κόσμε'.encode(), 'emoji': '👩‍👩‍👧'.encode(),
    'mixed': 'a¢€𐍈'.encode() * 50,
}
for what, payload in GOOD.items():
    case(f'UTF-8: {what}', text(payload), [(TEXT, payload)])
    case(f'UTF-8: {what} with a border between all bytes',
         fragments(*[payload[i:i + 1] for i in range(len(payload))]), [(TEXT, payload)])
BAD = {
    'a continuation byte': b'\x80', 'the last continuation byte': b'\xbf', 'two continuation bytes': b'\x80\xbf',
    'overlong / in 2': b'\xc0\xaf', 'overlong NUL in 2': b'\xc0\x80', 'overlong U+007F in 2': b'\xc1\xbf',
    'overlong in 3': b'\xe0\x80\xaf', 'overlong U+07FF in 3': b'\xe0\x9f\xbf', 'overlong in 4': b'\xf0\x80\x80\xaf',
    'overlong U+FFFF in 4': b'\xf0\x8f\xbf\xbf', 'U+D800': b'\xed\xa0\x80', 'U+DBFF': b'\xed\xaf\xbf',
    'U+DC00': b'\xed\xb0\x80', 'U+DFFF': b'\xed\xbf\xbf', 'a pair of surrogates': b'\xed\xa0\x80\xed\xb0\x80',
    'U+110000': b'\xf4\x90\x80\x80', 'U+13FFFF': b'\xf4\xbf\xbf\xbf', 'F5': b'\xf5\x80\x80\x80', 'F8': b'\xf8\x88\x80\x80\x80',
    'FC': b'\xfc\x84\x80\x80\x80\x80', 'FE': b'\xfe', 'FF': b'\xff', 'C2 without more, then ASCII': b'\xc2A',
    'E2 82 without more, then ASCII': b'\xe2\x82A', 'F0 9F 98 without more, then ASCII': b'\xf0\x9f\x98A',
    'a lead after a lead': b'\xc3\xc3\xa9', 'Latin-1': 'naïve'.encode('latin-1'),
}
for what, payload in BAD.items():
    case(f'not UTF-8: {what}', text(b'ok ' + payload + b' ok'), ends_with=1007)
    case(f'not UTF-8: {what}, across borders of fragments',
         fragments(*[payload[i:i + 1] for i in range(len(payload))], b' '), ends_with=1007)
    case(f'not UTF-8: {what}, in a frame that has not ended', header(TEXT, 1000, mask=b'\0\0\0\0') + payload,
         ends_with=1007)
    case(f'not UTF-8: {what}, in a binary message', frame(BINARY, payload), [(BINARY, payload)])
for what, payload in {'C2': b'\xc2', 'E2 82': b'\xe2\x82', 'F0 9F 98': b'\xf0\x9f\x98'}.items():
    case(f'{what} at the end of a message', text(b'ok ' + payload), ends_with=1007)
    case(f'{what} at the end of the last fragment', fragments(b'ok ', payload), ends_with=1007)
    case(f'{what} at the end of the last fragment but one, which is empty', fragments(b'ok ' + payload, b''),
         ends_with=1007)
case('bad UTF-8 in the first fragment of a message that goes on', frame(TEXT, b'\xff', flags=0), ends_with=1007)
case('bad UTF-8 in the second fragment of a message that goes on',
     frame(TEXT, b'\xe2', flags=0) + frame(CONT, b'A', flags=0), ends_with=1007)
case('bad UTF-8 behind a good message', text('good') + text(b'\xff'), [(TEXT, b'good')], ends_with=1007)
steps('a character across a border with a ping between', (frame(TEXT, b'\xe2\x82', flags=0) + frame(PING, b'\xff'),
      [(PONG, b'\xff')]), (frame(CONT, b'\xac'), [(TEXT, b'\xe2\x82\xac')]))

# Closing
for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999):
    case(f'close with {code}', close(code), ends_with=code)
    case(f'close with {code} and a reason', close(code, b'going home'), ends_with=code)
for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
    case(f'close with {code}, which nobody may send', close(code), ends_with=1002)
case('close without a code', close(), ends_with='')
case('close with one byte', frame(CLOSE, b'\x03'), ends_with=1002)
case('close with a reason of 123 bytes', close(1000, b'x' * 123), ends_with=1000)
case('close with a reason of 124 bytes', close(1000, b'x' * 124), ends_with=1002)
case('close with a reason in Greek', close(1000, 'κόσμε'.encode()), ends_with=1000)
case('close with a reason that is not UTF-8', close(1000, b'\xff'), ends_with=1007)
case('close with a reason that ends within a character', close(1000, b'\xe2\x82'), ends_with=1007)
case('close, byte by byte', close(1001, b'slowly'), ends_with=1001, bytewise=True)
case('a message behind close', close(1000) + text('too late'), ends_with=1000)
case('a ping behind close', close(1000) + frame(PING, b'too late'), ends_with=1000)
case('a second close', close(1000) + close(1001), ends_with=1000)
case('rubbish behind close', close(1000) + b'\xff' * 100, ends_with=1000)
case('messages, then close', text('a') + text('b') + close(1000), [(TEXT, b'a'), (TEXT, b'b')], ends_with=1000)
case('a message behind a failure', frame(3) + text('too late'), ends_with=1002)
case('much behind a failure', frame(3) + text('x' * 60000) * 10, ends_with=1002)


def end_without_close(connect):
    connection = connect()
    connection.upgrade()
    connection.send(text('a'))
    if connection.read_frame() != (FIN | TEXT, b'a'):
        raise Failure('no echo')
    connection.socket.shutdown(1)
    connection.expect_end()


suite.add('the end of the stream without close ends the connection', end_without_close)

# Many at once
for n in (2, 10, 100, 255, 256, 257, 1000):
    messages = [str(i).encode() for i in range(n)]
    case(f'{n} messages in one piece', b''.join(text(m) for m in messages), [(TEXT, m) for m in messages])
case('text and binary in turn', b''.join(frame(TEXT if i % 2 else BINARY, b'%d' % i) for i in range(50)),
     [(TEXT if i % 2 else BINARY, b'%d' % i) for i in range(50)])
case('fragmented and whole in turn', b''.join(fragments(b'%d' % i, b'!') + text('-') for i in range(50)),
     [m for i in range(50) for m in ((TEXT, b'%d!' % i), (TEXT, b'-'))])
case('20 messages of 20000 bytes', text('y' * 20000) * 20, [(TEXT, b'y' * 20000)] * 20)
case('2000 empty messages', text('') * 2000, [(TEXT, b'')] * 2000)
case('5 messages, byte by byte', b''.join(text(str(i)) for i in range(5)), [(TEXT, b'%d' % i) for i in range(5)],
     bytewise=True)

sys.exit(suite.main())
