// SPDX-License-Identifier: LGPL-2.1-or-later
// npm `socket.io`: `message` goes to the whole room that the handshake's query names, the sender too; `echo` is
// answered by its acknowledgement.
'use strict';

const { createServer } = require('node:http');
const { Server } = require('socket.io');

const port = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });

io.on('connection', (socket) => {
  const room = `room/${socket.handshake.query.ch}`;
  socket.join(room);
  socket.on('message', (data) => io.to(room).emit('message', data));
  socket.on('echo', (data, reply) => reply(data));
});

http.listen({ host: '127.0.0.1', port, backlog: 4096 });

process.on('SIGUSR2', () => global.gc());
