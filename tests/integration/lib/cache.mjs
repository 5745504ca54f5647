// SPDX-License-Identifier: LGPL-2.1-or-later
// The client that the source 000 describes, in its own words: a cache that gets, adds, updates and deletes, and a page
// whose elements it creates, changes and removes. What it holds comes from replies, and from what the hub tells it.
import { Client } from './client.mjs';

// Each kind of thing: its key, the request that gets its list, and the list's name.
const KINDS = {
  server: { key: 'server_id', request: 'get_servers', list: 'servers' },
  channel: { key: 'channel_id', request: 'get_server_channels', list: 'channels' },
  member: { key: 'user_id', request: 'get_server_members', list: 'members' },
  message: { key: 'message_id', request: 'get_messages', list: 'messages' },
};

export class Page {
  elements = new Map();
  create(kind, id, info) { this.elements.set(`${kind} ${id}`, { ...info }); }
  change(kind, id, info) { Object.assign(this.elements.get(`${kind} ${id}`), info); }
  remove(kind, id) { this.elements.delete(`${kind} ${id}`); }
}

export class Cache {
  static async open(hub, token, page) {
    const self = new Cache();
    self.page = page;
    self.things = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, new Map()]));
    self.client = await Client.connect(hub, token);
    self.client.receive = ((receive) => (message) => {
      if (message.ref === undefined) self.hear(message);
      receive.call(self.client, message);
    })(self.client.receive);
    return self;
  }

  // From the cache, or from the server, and then it is in the cache.
  async get(kind, id, fields) {
    if (id !== undefined && this.things[kind].has(id)) return this.things[kind].get(id);
    const { key, request, list } = KINDS[kind];
    const reply = await this.client.request(request, fields);
    for (const info of reply[list]) this.add(kind, info[key], info);
    return id === undefined ? reply : this.things[kind].get(id);
  }

  add(kind, id, info) {
    if (this.things[kind].has(id)) return this.update(kind, id, info);
    this.things[kind].set(id, info);
    return this.page.create(kind, id, info);
  }

  update(kind, id, info) {
    const known = this.things[kind].get(id);
    if (!known) return;
    Object.assign(known, info);
    this.page.change(kind, id, info);
  }

  delete(kind, id) {
    if (this.things[kind].delete(id)) this.page.remove(kind, id);
  }

  hear({ type, seq, ...info }) {
    const channel = () => { const { id, server_id, ...rest } = info; return [id, { channel_id: id, ...rest }]; };
    switch (type) {
      case 'add_server': return this.add('server', info.server_id, info);
      case 'update_server': return this.update('server', info.server_id, info);
      case 'remove_server': return this.delete('server', info.server_id);
      case 'show_channel': return this.add('channel', ...channel());
      case 'update_channel': return this.update('channel', ...channel());
      case 'hide_channel': return this.delete('channel', info.id);
      case 'add_member': return this.add('member', info.user_id, info);
      case 'update_member': case 'user_status_change': case 'user_update': return this.update('member', info.user_id, info);
      case 'remove_member': return this.delete('member', info.user_id);
      case 'message': return this.add('message', info.message_id, info);
      case 'message_update': return this.update('message', info.message_id, info);
      case 'message_delete': return this.delete('message', info.message_id);
    }
  }
}
