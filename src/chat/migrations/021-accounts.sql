-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What users sign in with, as libsodium writes an argon2id hash; who has no row has no password, and signs in by none.
CREATE TABLE passwords (
  user_id    INTEGER PRIMARY KEY REFERENCES users (user_id) ON DELETE CASCADE,
  hash       TEXT    NOT NULL,
  changed_at INTEGER NOT NULL
);

ALTER TABLE tokens ADD COLUMN by_login INTEGER NOT NULL DEFAULT 0; -- made by signing in: a password's change ends it
ALTER TABLE tokens ADD COLUMN scope TEXT; -- 'backend': of a back end's; NULL: all that its user may
