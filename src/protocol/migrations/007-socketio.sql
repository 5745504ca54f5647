-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Sockets of Socket.IO namespaces whose events are logged, so that one that was cut can be recovered, also by the next
-- process.
CREATE TABLE socketio_sockets (
  pid_hash  BLOB    PRIMARY KEY,
  namespace TEXT    NOT NULL,
  sid       TEXT    NOT NULL,
  user_id   INTEGER NOT NULL,
  start     INTEGER NOT NULL,           -- the namespace's number of events when it connected
  rooms     TEXT    NOT NULL,           -- names, a line each
  ended_at  INTEGER NOT NULL DEFAULT 0  -- 0: goes on
);

CREATE INDEX socketio_sockets_by_user ON socketio_sockets (user_id, ended_at);
CREATE INDEX socketio_sockets_by_end ON socketio_sockets (ended_at);
