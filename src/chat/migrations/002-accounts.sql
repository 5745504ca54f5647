-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Who there is, and what lets them in. Tokens are kept as SHA-256 only: who reads this file cannot use them.
CREATE TABLE users (
  user_id     INTEGER PRIMARY KEY,
  username    TEXT    NOT NULL UNIQUE, -- in small letters
  displayname TEXT    NOT NULL,
  profile_pic TEXT,
  bio         TEXT,
  activity    TEXT,
  chosen      TEXT    NOT NULL,           -- the status a user wants to be seen with while there
  online      INTEGER NOT NULL DEFAULT 0, -- whether others were told that the user is there
  is_admin    INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL,           -- milliseconds since 1970, as all times
  rev         INTEGER NOT NULL DEFAULT 0  -- of the last event about this user
);

CREATE INDEX users_by_rev ON users (rev);
CREATE INDEX users_online ON users (user_id) WHERE online = 1;

CREATE TABLE tokens (
  token_id   INTEGER PRIMARY KEY,
  hash       BLOB    NOT NULL UNIQUE,
  user_id    INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  label      TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL DEFAULT 0, -- 0: never
  revoked_at INTEGER NOT NULL DEFAULT 0, -- 0: not
  last_used  INTEGER NOT NULL DEFAULT 0  -- to the hour
);

CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at > 0;
CREATE INDEX tokens_by_revocation ON tokens (revoked_at) WHERE revoked_at > 0;
