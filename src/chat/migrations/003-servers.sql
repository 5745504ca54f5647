-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Servers and who belongs to them. A row's rev is that of the last event that changed it, so that a client that has
-- seen everything up to some rev can be told what has changed since.
CREATE TABLE servers (
  server_id  INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  icon       TEXT,
  owner_id   INTEGER NOT NULL REFERENCES users (user_id),
  n_members  INTEGER NOT NULL DEFAULT 0,
  n_channels INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  rev        INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX servers_by_owner ON servers (owner_id);

CREATE TABLE members (
  server_id INTEGER NOT NULL REFERENCES servers (server_id) ON DELETE CASCADE,
  user_id   INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  joined_id INTEGER NOT NULL, -- sorts with the ids of messages: what is older was never unread
  joined_at INTEGER NOT NULL,
  nick      TEXT,
  rev       INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (server_id, user_id)
);

CREATE INDEX members_by_user ON members (user_id, server_id);
CREATE INDEX members_by_rev ON members (server_id, rev);

CREATE TABLE roles (
  role_id     INTEGER PRIMARY KEY,
  server_id   INTEGER NOT NULL REFERENCES servers (server_id) ON DELETE CASCADE,
  name        TEXT    NOT NULL,
  position    INTEGER NOT NULL DEFAULT 0,
  permissions INTEGER NOT NULL DEFAULT 0,
  rev         INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX roles_by_server ON roles (server_id);

CREATE TABLE member_roles (
  server_id INTEGER NOT NULL,
  user_id   INTEGER NOT NULL,
  role_id   INTEGER NOT NULL REFERENCES roles (role_id) ON DELETE CASCADE,
  PRIMARY KEY (server_id, user_id, role_id),
  FOREIGN KEY (server_id, user_id) REFERENCES members (server_id, user_id) ON DELETE CASCADE
);

CREATE INDEX member_roles_by_role ON member_roles (role_id);

-- What is gone from whose lists; kept as long as the event log reaches back.
CREATE TABLE tombstones (
  tombstone_id INTEGER PRIMARY KEY,
  kind     INTEGER NOT NULL, -- 1: a server of a user, 2: a channel of a server, 3: a member of a server
  scope_id INTEGER NOT NULL, -- that user or server
  user_id  INTEGER NOT NULL, -- gone for this user alone; 0: for all
  thing_id INTEGER NOT NULL,
  rev      INTEGER NOT NULL
);

CREATE INDEX tombstones_by_scope ON tombstones (kind, scope_id, user_id, rev);
CREATE INDEX tombstones_by_rev ON tombstones (rev);
