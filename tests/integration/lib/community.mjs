// SPDX-License-Identifier: LGPL-2.1-or-later
// A small community, made by the administrator's tool as an administrator would.

// users: names; the first owns the server and all are its members.
export async function community(hub, names, channels = ['general']) {
  const users = {};
  for (const name of names) users[name] = await hub.user(name);
  const server = await hub.ctl('server', 'add', 'Harbour', '--owner', names[0]);
  for (const name of names.slice(1)) await hub.ctl('member', 'add', server.server_id, name);
  const made = {};
  for (const name of channels) {
    const channel = await hub.ctl('channel', 'add', server.server_id, name);
    made[name] = channel.channel_id;
  }
  return { users, server: server.server_id, channels: made };
}
