# SPDX-License-Identifier: LGPL-2.1-or-later
"""The opening handshake and the HTTP around it: RFC 6455 section 4.2, RFC 9112, and the bounds of the front."""
import sys
import time

from wire import (ACCEPT, BINARY, CLOSE, FIN, KEY, TEXT, Failure, Suite, close, frame, request, text)

suite = Suite()
# Short enough to be reached, long enough that nothing else reaches it.
QUICK = ('--handshake-timeout', '700')


def read_response(connection):
    lines = connection.read_until(b'\r\n\r\n').decode('latin-1').split('\r\n')
    version, status, _ = lines[0].split(' ', 2)
    if version != 'HTTP/1.1':
        raise Failure(lines[0])
    headers = {}
    for line in lines[1:]:
        name, value = line.split(': ', 1)
        headers.setdefault(name.lower(), []).append(value)
    return int(status), headers


def refused(connect, data, status, header, words, bytewise):
    connection = connect()
    connection.send(data, bytewise)
    got, headers = read_response(connection)
    if got != status:
        raise Failure(f'answered {got}')
    if header and headers.get(header[0]) != [header[1]]:
        raise Failure(f'{header[0]}: {headers.get(header[0])}')
    body = connection.read(int(headers['content-length'][0]))
    if words.encode() not in body:
        raise Failure(f'said {body}')
    if 'close' not in headers['connection'][0]:
        raise Failure(f'connection: {headers["connection"]}')
    connection.expect_end()


def no(name, data, status, words='', header=None, bytewise=False, options=()):
    suite.add(name, lambda connect: refused(connect, data, status, header, words, bytewise), *options)


def accepted(connect, pieces, frames, wanted, protocol, bytewise):
    connection = connect()
    for piece in pieces:
        connection.send(piece, bytewise)
        while connection.out:
            connection.pump()
        if piece is not pieces[-1]:
            time.sleep(0.02)
    connection.send(frames)
    status, headers = read_response(connection)
    if status != 101:
        raise Failure(f'answered {status}')
    for name, value in (('upgrade', 'websocket'), ('sec-websocket-accept', ACCEPT)):
        if headers.get(name) != [value]:
            raise Failure(f'{name}: {headers.get(name)}')
    if headers['connection'][0].lower() != 'upgrade':
        raise Failure(f'connection: {headers["connection"]}')
    if headers.get('sec-websocket-protocol') != ([protocol] if protocol else None):
        raise Failure(f'sec-websocket-protocol: {headers.get("sec-websocket-protocol")}')
    if any('secret' in value for values in headers.values() for value in values):
        raise Failure('the token came back')
    for message in wanted:
        if connection.read_frame() != message:
            raise Failure('not the message that was sent')
    connection.send(text('after'))
    if connection.read_frame() != (FIN | TEXT, b'after'):
        raise Failure('no echo')
    connection.send(close(1000))
    if connection.read_frame() != (FIN | CLOSE, b'\x03\xe8'):
        raise Failure('no close')
    connection.expect_end()


def yes(name, data, frames=b'', wanted=(), protocol=None, bytewise=False, options=()):
    pieces = [data] if isinstance(data, bytes) else data
    suite.add(name, lambda connect: accepted(connect, pieces, frames, wanted, protocol, bytewise), *options)


def get(path='/healthz', method='GET', version='HTTP/1.1', extra='', body=b'', host='localhost'):
    lines = f'{method} {path} {version}\r\n' + (f'Host: {host}\r\n' if host is not None else '') + extra + '\r\n'
    return lines.encode('latin-1') + body


# What opens a WebSocket
yes('the plain handshake', request())
yes('with a slash at the end', request(path='/echo/'))
yes('with a query', request(path='/echo?a=b&c=d'))
yes('Connection: keep-alive, Upgrade', request(connection='keep-alive, Upgrade'))
yes('Connection: UPGRADE', request(connection='UPGRADE'))
yes('Connection in two lines', request(connection='keep-alive', extra='Connection: upgrade\r\n'))
yes('Upgrade: WebSocket', request(upgrade='WebSocket'))
yes('Upgrade is a list', request(upgrade='h2c, websocket'))
yes('lower-case names', request().replace(b'Host', b'host').replace(b'Upgrade:', b'upgrade:')
    .replace(b'Sec-WebSocket', b'sec-websocket').replace(b'Connection:', b'connection:'))
yes('upper-case names', request().replace(b'Sec-WebSocket-Key', b'SEC-WEBSOCKET-KEY'))
yes('spaces around values', request(key=f' \t{KEY}  \t', ws_version='  13 '))
yes('no space behind the colon', request().replace(b': ', b':'))
yes('an empty line before', b'\r\n' + request())
yes('Content-Length: 0', request(extra='Content-Length: 0\r\n'))
yes('64 header fields', request(extra='X: y\r\n' * 59))
yes('a head of 15 KiB', request(extra=f'X: {"y" * 15000}\r\n'))
yes('a query of 4 KiB', request(path='/echo?' + 'q' * 4000))
yes('byte by byte', request(), bytewise=True)
yes('in two pieces', [request()[:40], request()[40:]])
yes('with the last line feed late', [request()[:-1], request()[-1:]])
yes('with the empty line late', [request()[:-2], request()[-2:]])
yes('three frames in the same piece', request() + text('one') + frame(BINARY, b'two') + text('three'),
    wanted=[(FIN | TEXT, b'one'), (FIN | BINARY, b'two'), (FIN | TEXT, b'three')])
yes('half a frame in the same piece', [request() + text('halved')[:5], text('halved')[5:]],
    wanted=[(FIN | TEXT, b'halved')])
yes('60 KB of frames in the same piece', request() + text('x' * 20000) * 3, wanted=[(FIN | TEXT, b'x' * 20000)] * 3)
yes('frames behind a head of 10 KiB', request(extra=f'X: {"y" * 10000}\r\n') + text('one') * 5,
    wanted=[(FIN | TEXT, b'one')] * 5)
yes('frames right behind the head', request(), text('one') + text('two'),
    wanted=[(FIN | TEXT, b'one'), (FIN | TEXT, b'two')])
yes('the subprotocol', request(extra='Sec-WebSocket-Protocol: hark.v1\r\n'), protocol='hark.v1')
yes('the subprotocol among others', request(extra='Sec-WebSocket-Protocol: chat, hark.v1, hark.token.secret\r\n'),
    protocol='hark.v1')
yes('the subprotocol in lines of its own',
    request(extra='Sec-WebSocket-Protocol: hark.token.secret\r\nSec-WebSocket-Protocol: hark.v1\r\n'), protocol='hark.v1')
yes('an unknown subprotocol', request(extra='Sec-WebSocket-Protocol: mqtt\r\n'))
yes('an Authorization header', request(extra='Authorization: Bearer secret\r\n'))
yes('the same Origin', request(extra='Origin: http://localhost\r\n'))
yes('the same Origin with ports', request(host='localhost:8000', extra='Origin: http://localhost:8000\r\n'))
yes('the same Origin with the port that goes without saying',
    request(host='localhost:443', extra='Origin: https://localhost\r\n'))
yes('the same Origin in IPv6', request(host='[::1]:8000', extra='Origin: http://[::1]:8000\r\n'))
yes('an extension we do not have', request(extra='Sec-WebSocket-Extensions: foo; bar=1\r\n'))

# What does not
no('POST', request(method='POST'), 405, 'method', ('allow', 'GET'))
no('HEAD', request(method='HEAD'), 405, 'method')
no('HTTP/1.0', request(version='HTTP/1.0'), 400, 'HTTP version')
no('HTTP/2.0', request(version='HTTP/2.0'), 505, 'HTTP version')
no('HTTP/1.2', request(version='HTTP/1.2'), 505, 'HTTP version')
no('no Upgrade', request(upgrade=None), 426, 'Upgrade', ('upgrade', 'websocket'))
no('Upgrade: h2c', request(upgrade='h2c'), 400, 'Upgrade')
no('Upgrade: websockets', request(upgrade='websockets'), 400, 'Upgrade')
no('no Connection', request(connection=None), 400, 'Connection')
no('Connection: keep-alive', request(connection='keep-alive'), 400, 'Connection')
no('Connection: upgraded', request(connection='upgraded'), 400, 'Connection')
no('no key', request(key=None), 400, 'Sec-WebSocket-Key')
no('an empty key', request(key=''), 400, 'Sec-WebSocket-Key')
no('a key of 15 bytes', request(key='AAAAAAAAAAAAAAAAAAAA'), 400, 'Sec-WebSocket-Key')
no('a key of 17 bytes', request(key='AAAAAAAAAAAAAAAAAAAAAAA='), 400, 'Sec-WebSocket-Key')
no('a key of 18 bytes', request(key='AAAAAAAAAAAAAAAAAAAAAAAA'), 400, 'Sec-WebSocket-Key')
no('a key that is not base64', request(key='dGhlIHNhbXBsZSBub25j*Q=='), 400, 'Sec-WebSocket-Key')
no('a key with a space', request(key='dGhlIHNhbXBsZ SBub25jZQ=='), 400, 'Sec-WebSocket-Key')
no('two keys', request(extra=f'Sec-WebSocket-Key: {KEY}\r\n'), 400, 'Sec-WebSocket-Key')
for version in ('12', '14', '8', '0', '013', '13.0', '', 'x'):
    no(f'version "{version}"', request(ws_version=version), 426, 'Sec-WebSocket-Version', ('sec-websocket-version', '13'))
no('no version', request(ws_version=None), 426, 'Sec-WebSocket-Version', ('sec-websocket-version', '13'))
no('two versions', request(extra='Sec-WebSocket-Version: 13\r\n'), 400, 'Sec-WebSocket-Version')
no('the subprotocol twice', request(extra='Sec-WebSocket-Protocol: hark.v1, hark.v1\r\n'), 400, 'Sec-WebSocket-Protocol')
no('two tokens', request(extra='Sec-WebSocket-Protocol: hark.token.a, hark.token.b\r\n'), 400, 'Sec-WebSocket-Protocol')
no('a subprotocol that is no token', request(extra='Sec-WebSocket-Protocol: a b\r\n'), 400, 'Sec-WebSocket-Protocol')
no('a body', request(extra='Content-Length: 5\r\n') + b'hello', 400, 'Content-Length')
no('a chunked body', request(extra='Transfer-Encoding: chunked\r\n') + b'0\r\n\r\n', 400, 'Content-Length')
no('another Origin', request(extra='Origin: http://evil.example\r\n'), 403, 'Origin')
no('another Origin that begins alike', request(extra='Origin: http://localhost.evil.example\r\n'), 403, 'Origin')
no('another port', request(host='localhost:8000', extra='Origin: http://localhost:8001\r\n'), 403, 'Origin')
no('Origin: null', request(extra='Origin: null\r\n'), 403, 'Origin')
no('Origin: file', request(extra='Origin: file://localhost\r\n'), 403, 'Origin')
no('two Origins', request(extra='Origin: http://localhost\r\nOrigin: http://localhost\r\n'), 400, 'Origin')
no('a path that has no WebSocket', request(path='/nothing'), 404, 'no such path')
no('a path that begins alike', request(path='/echoes'), 404, 'no such path')
no('a path below', request(path='/echo/a/b'), 404, 'no such path')
no('resume is too long', request(path='/echo?resume=' + 'r' * 257), 400, 'resume')
no('resume is badly encoded', request(path='/echo?resume=%zz'), 400, 'resume')
no('cursors are not UTF-8', request(path='/echo?cursors=%ff'), 400, 'cursors')
no('two Authorizations', request(extra='Authorization: Bearer a\r\nAuthorization: Bearer b\r\n'), 400, 'Authorization')
no('a token of 5 KiB', request(path='/ws/' + 't' * 5000), 401, 'token', ('www-authenticate', 'Bearer'))

# Heads that are wrong
no('no Host', request(host=None), 400, 'Host')
no('two Hosts', request(extra='Host: localhost\r\n'), 400, 'Host')
no('an empty Host', request(host=''), 400, 'Host')
no('a Host with a path', request(host='localhost/x'), 400, 'Host')
no('a Host with a user', request(host='me@localhost'), 400, 'Host')
no('a Host with letters for a port', request(host='localhost:http'), 400, 'Host')
no('a Host with half a bracket', request(host='[::1'), 400, 'Host')
no('a folded line', request(extra='X: a\r\n b\r\n'), 400, 'header')
no('a space before the colon', request(extra='X : a\r\n'), 400, 'header')
no('a line without a colon', request(extra='nonsense\r\n'), 400, 'header')
no('a name that is empty', request(extra=': a\r\n'), 400, 'header')
no('a NUL in a value', request(extra='X: a\0b\r\n'), 400, 'header')
no('a lone carriage return', request(extra='X: a\rb\r\n'), 400, 'header')
no('bare line feeds', request().replace(b'\r\n', b'\n'), 400, 'request line')
no('one bare line feed', request(extra='X: a\n'), 400, 'header')
no('65 header fields', request(extra='X: y\r\n' * 60), 431, 'header')
no('a head of 17 KiB', request(extra=f'X: {"y" * 17000}\r\n'), 431, 'header')
no('a head of 200 KiB', request(extra=f'X: {"y" * 200000}\r\n'), 431, 'header')
no('a head that never ends', b'GET /' + b'a' * 20000, 431, 'header')
no('a request line of two words', b'GET /echo\r\nHost: a\r\n\r\n', 400, 'request line')
no('a request line of four words', b'GET /echo x HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'request line')
no('two spaces', b'GET  /echo HTTP/1.1\r\nHost: a\r\n\r\n', 400)
no('a method nobody knows', get(method='BREW'), 501, 'method')
no('a method in lower case', get(method='gET'), 400)
no('CONNECT', get(method='CONNECT', path='localhost:80'), 501, 'method')
no('an absolute target', get(path='http://localhost/healthz'), 400, 'request target')
no('an asterisk', get(method='OPTIONS', path='*'), 400, 'request target')
no('a fragment', get(path='/healthz#top'), 400, 'request target')
no('letters beyond ASCII in the target', get(path='/h\xe9'), 400, 'request target')
no('a TLS client', bytes.fromhex('16030100a5010000a10303') + b'\0' * 160, 400, 'not HTTP')
no('rubbish', b'\0\1\2\3', 400, 'not HTTP')

# HTTP beside it
no('/healthz', get(), 200, 'ok')
no('/healthz with a query', get(path='/healthz?x=1'), 200, 'ok')
no('/readyz', get(path='/readyz'), 200, 'ready')
no('/metrics', get(path='/metrics'), 200, 'hark_handshakes_total')
no('a path that is not there', get(path='/nothing'), 404, '"code":"not_found"', ('content-type', 'application/json'))
no('POST /healthz', get(method='POST', extra='Content-Length: 2\r\n', body=b'{}'), 405, 'method', ('allow', 'GET, HEAD'))
no('PUT /metrics', get(method='PUT', path='/metrics', extra='Content-Length: 0\r\n'), 405, 'method')
no('/echo without an upgrade', get(path='/echo'), 426, 'Upgrade', ('upgrade', 'websocket'))
no('two requests in one piece: the first is answered', get() + get(path='/nothing'), 200, 'ok')
no('a Range', get(path='/metrics', extra='Range: bytes=0-1\r\n'), 416, 'Range')
no('1000 Ranges', get(path='/metrics', extra='Range: bytes=' + ','.join(['0-1'] * 1000) + '\r\n'), 416, 'Range')
no('multipart', get(method='POST', extra='Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1\r\n',
                    body=b'x'), 415, 'multipart')
no('a body at the bound', get(method='POST', extra='Content-Length: 65536\r\n', body=b'x' * 65536), 405)
no('a body over it', get(method='POST', extra='Content-Length: 65537\r\n', body=b'x' * 65537), 413, 'body')
no('a body over it that is only announced', get(method='POST', extra='Content-Length: 65537\r\n'), 413, 'body',
   options=QUICK)
no('a body of 1 GB, announced', get(method='POST', extra='Content-Length: 1000000000\r\n', body=b'x' * 300000), 413,
   'body', options=QUICK)
no('a body over it that waits for 100 Continue',
   get(method='POST', extra='Expect: 100-continue\r\nContent-Length: 65537\r\n'), 413, 'body', options=QUICK)
no('chunks up to the bound', get(method='POST', extra='Transfer-Encoding: chunked\r\n',
                                 body=b'8000\r\n' + b'x' * 0x8000 + b'\r\n8000\r\n' + b'x' * 0x8000 + b'\r\n0\r\n\r\n'), 405)
no('chunks over it', get(method='POST', extra='Transfer-Encoding: chunked\r\n',
                         body=(b'8000\r\n' + b'x' * 0x8000 + b'\r\n') * 3), 413, 'body', options=QUICK)
no('a chunk of 1 GB', get(method='POST', extra='Transfer-Encoding: chunked\r\n', body=b'40000000\r\n' + b'x' * 200000),
   413, 'body', options=QUICK)
no('two lengths', get(method='POST', extra='Content-Length: 1\r\nContent-Length: 1\r\n', body=b'x'), 400, 'Content-Length')
no('two lengths in one line', get(method='POST', extra='Content-Length: 1, 1\r\n', body=b'x'), 400, 'Content-Length')
no('a negative length', get(method='POST', extra='Content-Length: -1\r\n'), 400, 'Content-Length')
no('a length with a sign', get(method='POST', extra='Content-Length: +1\r\n', body=b'x'), 400, 'Content-Length')
no('a length of 30 digits', get(method='POST', extra='Content-Length: ' + '9' * 30 + '\r\n'), 413, 'body')
no('a length and chunks', get(method='POST', extra='Content-Length: 1\r\nTransfer-Encoding: chunked\r\n',
                              body=b'0\r\n\r\n'), 400, 'Content-Length')
no('a coding that is not chunked', get(method='POST', extra='Transfer-Encoding: gzip, chunked\r\n'), 501,
   'Transfer-Encoding')

# Time
no('a head that comes too slowly', request()[:100], 408, 'in time', options=QUICK)


def silent(connect):
    connection = connect()
    begin = time.monotonic()
    connection.expect_end()
    if not 0.4 < time.monotonic() - begin < 5:
        raise Failure('not at the deadline')


def slow_body(connect):
    connection = connect()
    connection.send(get(method='POST', extra='Content-Length: 100\r\n', body=b'x'))
    connection.expect_end()


def trickle(connect):
    connection = connect()
    data = request(extra='X: ' + 'y' * 1000 + '\r\n')
    begin = time.monotonic()
    for i in range(len(data)):
        connection.send(data[i:i + 1])
        connection.pump()
        if connection.ended or connection.data:
            break
        time.sleep(0.01)
    if read_response(connection)[0] != 408 or time.monotonic() - begin > 5:
        raise Failure('not cut at the deadline')


suite.add('a client that says nothing is closed at the deadline', silent, *QUICK)
suite.add('a body that does not come ends the connection at the deadline', slow_body, *QUICK)
suite.add('a head that trickles in is cut at the deadline', trickle, *QUICK)


def half_closed(connect):
    connection = connect()
    connection.send(request()[:50])
    while connection.out:
        connection.pump()
    connection.socket.shutdown(1)
    if read_response(connection)[0] != 400:
        raise Failure('no 400')


suite.add('a stream that ends within the head', half_closed)


def crowd(connect):
    first = [connect() for i in range(4)]
    time.sleep(0.1)
    last = connect()
    last.send(get())
    if read_response(last)[0] != 200:
        raise Failure('the newcomer was not served')
    first[0].expect_end()


suite.add('of too many silent clients the oldest gives way', crowd, '--max-handshakes', '4', '--crowded-timeout', '300')


def many_of_one(connect):
    first = [connect() for i in range(3)]
    for connection in first:
        connection.upgrade()
    fourth = connect()
    try:
        fourth.expect_end()
    except Failure as failure:
        if 'reset' not in str(failure):
            raise
    first[0].send(close(1000))
    first[0].read_frame()
    first[0].expect_end()
    first[0].close()
    for attempt in range(100):
        again = connect()
        try:
            again.upgrade()
            return
        except (Failure, ConnectionError):
            time.sleep(0.02)
    raise Failure('the place was not given back')


suite.add('an address has so many connections, WebSockets included', many_of_one, '--count-local', '--max-per-address',
          '3')

sys.exit(suite.main())
