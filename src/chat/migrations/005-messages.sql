-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What was said. A message's ordinal counts the messages of its channel, so that how many somebody has not read is a
-- difference of two numbers, whatever the number of messages and members.
CREATE TABLE messages (
  message_id INTEGER PRIMARY KEY,
  channel_id INTEGER NOT NULL, -- no foreign key: a channel's messages are removed bit by bit, see purges
  seq        INTEGER NOT NULL, -- on the channel's topic
  ordinal    INTEGER NOT NULL,
  author_id  INTEGER NOT NULL,
  client_id  TEXT,             -- the JSON of the sender's own id
  text       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  edited_at  INTEGER
);

CREATE INDEX messages_by_channel ON messages (channel_id, message_id);
CREATE UNIQUE INDEX messages_by_client_id ON messages (channel_id, author_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE read_marks (
  user_id    INTEGER NOT NULL,
  channel_id INTEGER NOT NULL,
  ordinal    INTEGER NOT NULL,
  PRIMARY KEY (user_id, channel_id)
);

CREATE INDEX read_marks_by_channel ON read_marks (channel_id);

-- Channels that are gone and whose messages are still to be removed.
CREATE TABLE purges (
  channel_id INTEGER PRIMARY KEY
);
