// SPDX-License-Identifier: LGPL-2.1-or-later
// harkd as the tests see it that run against the reference server, too.
import { Hub } from './hub.mjs';

export class SocketIoHub {
  static async start({ connectTimeout = 10000 } = {}) {
    const self = new SocketIoHub();
    self.hub = await Hub.start({
      settings: {
        'socketio.connect-timeout': `${connectTimeout}ms`,
        // A client that is cut in the middle of an upgrade does not notice before it misses a ping.
        'limits.heartbeat-interval': '2s', 'limits.heartbeat-timeout': '3s',
      },
    });
    return self;
  }

  get origin() {
    return this.hub.origin;
  }

  get port() {
    return this.hub.port;
  }

  user(name) {
    return this.hub.user(name);
  }

  async stop() {
    await this.hub.stop();
  }
}
