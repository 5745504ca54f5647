// SPDX-License-Identifier: LGPL-2.1-or-later
// npm `socket.io` with the namespaces that Hark has, as the applications in Hark's sources write them. What a test says
// of Hark it says of this server too, where the two are meant to be the same: so the tests are tested.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Server } from 'socket.io';

export class Reference {
  static async start({ connectTimeout = 45000 } = {}) {
    const self = new Reference();
    self.http = createServer();
    self.io = new Server(self.http, { connectTimeout, connectionStateRecovery: {}, pingInterval: 2000, pingTimeout: 3000 });
    self.users = new Map();
    for (const name of ['/', '/chat', '/forward', '/notifications']) self.namespace(name);
    self.http.listen({ port: self.port ?? 0, host: '127.0.0.1' });
    await once(self.http, 'listening');
    self.port = self.http.address().port;
    return self;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  // Nobody in particular: { id, token }.
  async user(name) {
    const user = { id: String(this.users.size + 1), name, token: `token-of-${name}` };
    this.users.set(user.token, user);
    return user;
  }

  namespace(name) {
    const nsp = this.io.of(name);
    nsp.use((socket, next) => {
      const user = this.users.get(socket.handshake.auth.token);
      socket.data.user = user;
      if (user) next();
      else next(Object.assign(new Error('unauthenticated'), { data: { code: 'unauthenticated' } }));
    });
    nsp.on('connection', (socket) => {
      const { user } = socket.data;
      socket.join(`user/${user.id}`);
      socket.on('ping', (args, reply) => reply({ ...args, time: new Date().toISOString() }));
      socket.on('message', (message, reply) => {
        if (name === '/chat') nsp.emit('message', message);
        reply?.({});
      });
      socket.on('forward', (args, reply) => {
        socket.to(`user/${user.id}`).to(`user/${args.target}`).emit('forwarded', { ...args, sender: Number(user.id) });
        reply?.({});
      });
    });
  }

  async stop() {
    await new Promise((resolve) => this.io.close(resolve));
  }
}
