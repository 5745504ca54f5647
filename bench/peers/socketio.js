// SPDX-License-Identifier: LGPL-2.1-or-later
// npm `socket.io`: `message` goes to the whole room that the handshake's query names, the sender too; `echo` is
// answered by its acknowledgement. As a chat: a `message` to /chat goes to all who are connected to that namespace.
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const port = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { perMessageDeflate: false, serveClient: false });

io.on('connection', (socket) => {
  const room = `room/${socket.handshake.query.ch}`;
  socket.join(room);
  socket.on('message', (data) => io.to(room).emit('message', data));
  socket.on('echo', (data, reply) => reply(data));
  socket.on('ping', (data, reply) => reply(data));
});

const chat = io.of('/chat');
chat.on('connection', (socket) => socket.on('message', (message) => chat.emit('message', message)));
io.of('/notifications');

http.listen({ host: '127.0.0.1', port, backlog: 4096 });

process.on('SIGUSR2', () => global.gc());
