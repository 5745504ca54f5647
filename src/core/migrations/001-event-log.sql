-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What has happened on which topic. A topic's seq is the number of events it has ever had; rev counts all events of all
-- topics, so that one number says how much of the whole somebody has seen.
CREATE TABLE topics (
  topic_id INTEGER PRIMARY KEY,
  name     TEXT    NOT NULL UNIQUE,
  seq      INTEGER NOT NULL
);

CREATE TABLE event_log (
  rev      INTEGER PRIMARY KEY, -- the newest is never removed: what is counted stays counted
  topic_id INTEGER NOT NULL,
  seq      INTEGER NOT NULL,
  kind     TEXT    NOT NULL,
  payload  TEXT    NOT NULL,
  audience BLOB,             -- the ids of the only users who may see it, eight bytes each, little-endian
  at       INTEGER NOT NULL  -- milliseconds since 1970
);

CREATE UNIQUE INDEX event_log_by_topic ON event_log (topic_id, seq);
