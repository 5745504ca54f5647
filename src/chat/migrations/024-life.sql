-- SPDX-License-Identifier: LGPL-2.1-or-later
-- When the daemon was last known to be alive, while there were sessions: what the next process says of those that it
-- finds and whose end nobody has written.
CREATE TABLE life (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  alive_at INTEGER NOT NULL -- milliseconds since 1970
);
