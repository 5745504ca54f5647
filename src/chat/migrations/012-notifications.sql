-- SPDX-License-Identifier: LGPL-2.1-or-later
-- What users are to be told, until they say that they have been.
CREATE TABLE notifications (
  notification_id INTEGER PRIMARY KEY,
  user_id         INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  payload         TEXT    NOT NULL -- the object as it is sent
);

CREATE INDEX notifications_by_user ON notifications (user_id, notification_id);

-- How many that are: so that a bound costs no counting.
CREATE TABLE notification_counts (
  user_id INTEGER PRIMARY KEY REFERENCES users (user_id) ON DELETE CASCADE,
  waiting INTEGER NOT NULL
);

-- What waits to be told to a back end, in this order.
CREATE TABLE deliveries (
  delivery_id INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL,
  payload     TEXT    NOT NULL,
  created_at  INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0
);

-- How many that are.
CREATE TABLE delivery_count (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  waiting INTEGER NOT NULL
);

INSERT INTO delivery_count (one, waiting) VALUES (1, 0);
