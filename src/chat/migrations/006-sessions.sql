-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Connections and what they had loaded, so that one that was cut can be taken up again, also by the next process.
CREATE TABLE sessions (
  session_id  INTEGER PRIMARY KEY,
  resume_hash BLOB    NOT NULL UNIQUE,
  user_id     INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  opened_at   INTEGER NOT NULL,
  ended_at    INTEGER NOT NULL DEFAULT 0, -- 0: goes on
  protocol    TEXT    NOT NULL,
  address     TEXT    NOT NULL,
  rev         INTEGER NOT NULL,           -- what had been published when this was written
  loaded      BLOB                        -- ids of users, eight bytes each, little-endian
);

CREATE INDEX sessions_by_user ON sessions (user_id, ended_at);
CREATE INDEX sessions_by_end ON sessions (ended_at);

CREATE TABLE session_topics (
  session_id INTEGER NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
  topic      TEXT    NOT NULL,
  cursor     INTEGER NOT NULL,
  PRIMARY KEY (session_id, topic)
);
