// SPDX-License-Identifier: LGPL-2.1-or-later
// npm `ws`, as harkd-raw speaks: /ws?ch=N tells every text message to all who are connected with the same N, the sender
// too; /echo sends it back. `ws.js PORT` is what a tutorial writes. `ws.js PORT --corked` is what one writes who has
// measured: a message is framed once for all, and each client's socket is held until the turn of the event loop ends, so
// that all messages of the turn are one write.
'use strict';

const { WebSocketServer, Sender } = require('ws');

const port = Number(process.argv[2]);
const corked = process.argv[3] === '--corked';
const rooms = new Map();
const held = new Set();

function release() {
  for (const socket of held)
    socket.uncork();
  held.clear();
}

function writeHeld(socket, bytes) {
  if (!held.has(socket)) {
    if (held.size === 0)
      setImmediate(release);
    socket.cork();
    held.add(socket);
  }
  socket.write(bytes);
}

function frame(data) {
  return Buffer.concat(Sender.frame(data, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }));
}

function send(clients, data) {
  if (corked) {
    const bytes = frame(data);
    for (const client of clients)
      writeHeld(client._socket, bytes);
  } else {
    for (const client of clients)
      client.send(data, { binary: false });
  }
}

function enter(name, client) {
  if (!rooms.has(name))
    rooms.set(name, new Set());
  const room = rooms.get(name);
  room.add(client);
  client.on('close', () => room.delete(client));
  return room;
}

const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false, backlog: 4096 });

server.on('connection', (client, request) => {
  const url = new URL(request.url, 'ws://localhost');
  const receivers = url.pathname === '/echo' ? [client] : enter(url.searchParams.get('ch'), client);
  client.on('message', (data) => send(receivers, data));
  client.on('error', () => client.terminate());
});

// Memory is measured after a collection: started with --expose-gc, told by this signal.
process.on('SIGUSR2', () => global.gc());
