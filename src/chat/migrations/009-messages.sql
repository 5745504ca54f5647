-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What becomes of messages: answers, reactions, what was taken back, and the index that finds their words.
ALTER TABLE messages ADD COLUMN reply_to INTEGER;                    -- of the same channel; may be gone since
ALTER TABLE messages ADD COLUMN reacted INTEGER NOT NULL DEFAULT 0;  -- whether to look for reactions

-- A message that was taken back leaves its number, so that it is not counted as unread, and its sender's id, so that
-- it is not stored again when it is sent again. The text is gone.
CREATE TABLE deleted_messages (
  message_id INTEGER PRIMARY KEY,
  channel_id INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  ordinal    INTEGER NOT NULL,
  author_id  INTEGER NOT NULL,
  client_id  TEXT
);

CREATE INDEX deleted_messages_by_ordinal ON deleted_messages (channel_id, ordinal);
CREATE UNIQUE INDEX deleted_messages_by_client_id ON deleted_messages (channel_id, author_id, client_id)
  WHERE client_id IS NOT NULL;

CREATE TABLE reactions (
  message_id INTEGER NOT NULL,
  user_id    INTEGER NOT NULL,
  emoji      TEXT    NOT NULL,
  PRIMARY KEY (message_id, user_id, emoji)
) WITHOUT ROWID;

-- How many of each, in the order in which they came, so that a page of history counts no rows.
CREATE TABLE reaction_counts (
  message_id INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  emoji      TEXT    NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY (message_id, position)
) WITHOUT ROWID;

-- Keeps no text. It is given words that Hark has split and folded itself (chat/words.c), so what its own tokenizer does
-- is to cut at spaces.
CREATE VIRTUAL TABLE message_index USING fts5 (words, content = '', tokenize = 'ascii');

-- Up to which message the index reaches: it is filled a little later, in batches.
CREATE TABLE message_index_state (
  id   INTEGER PRIMARY KEY,
  upto INTEGER NOT NULL
);

INSERT INTO message_index_state (id, upto) VALUES (1, 0);
