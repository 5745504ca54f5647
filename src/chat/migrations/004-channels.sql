-- SPDX-License-Identifier: LGPL-2.1-or-later
-- The channels of servers, and who may see those that are not open to all members.
CREATE TABLE channels (
  channel_id   INTEGER PRIMARY KEY,
  server_id    INTEGER NOT NULL REFERENCES servers (server_id) ON DELETE CASCADE,
  name         TEXT    NOT NULL,
  category     TEXT,
  position     INTEGER NOT NULL DEFAULT 0,
  private      INTEGER NOT NULL DEFAULT 0,
  last_ordinal INTEGER NOT NULL DEFAULT 0, -- of the newest message: how many there have been
  created_at   INTEGER NOT NULL,
  rev          INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX channels_by_server ON channels (server_id, position, channel_id);

CREATE TABLE grants (
  channel_id INTEGER NOT NULL REFERENCES channels (channel_id) ON DELETE CASCADE,
  user_id    INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  rev        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (channel_id, user_id)
);

CREATE INDEX grants_by_user ON grants (user_id);

CREATE TABLE role_grants (
  channel_id INTEGER NOT NULL REFERENCES channels (channel_id) ON DELETE CASCADE,
  role_id    INTEGER NOT NULL REFERENCES roles (role_id) ON DELETE CASCADE,
  rev        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (channel_id, role_id)
);

CREATE INDEX role_grants_by_role ON role_grants (role_id);
