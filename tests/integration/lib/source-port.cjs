// SPDX-License-Identifier: LGPL-2.1-or-later
// For `node --require`: connections to the port that a source's script names go to the hub under test, so that the
// script needs no change and tests can run side by side.
const net = require('node:net');

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (options && Number(options.port) === Number(process.env.SOURCE_PORT)) options.port = Number(process.env.HUB_PORT);
  return connect.apply(this, args);
};
