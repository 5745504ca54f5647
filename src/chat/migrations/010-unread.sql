-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Who was meant by name. A row for each who was, and none for anybody else: like unread messages, unread mentions are
-- those beyond a mark.
CREATE TABLE mentions (
  user_id    INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  channel_id INTEGER NOT NULL,
  ordinal    INTEGER NOT NULL, -- of the message
  message_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, channel_id, ordinal)
) WITHOUT ROWID;

CREATE INDEX mentions_by_message ON mentions (message_id);

-- Who takes messages away need not know of mentions.
CREATE TRIGGER mentions_go_with_messages AFTER DELETE ON messages
BEGIN
  DELETE FROM mentions WHERE message_id = OLD.message_id;
END;

-- What had happened when somebody read: who asks for what has changed since then is told.
ALTER TABLE read_marks ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;
