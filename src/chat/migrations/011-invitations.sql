-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Who is invited to which server and has not answered. An answer, either way, takes the row away.
CREATE TABLE invitations (
  invitation_id INTEGER PRIMARY KEY,
  server_id     INTEGER NOT NULL REFERENCES servers (server_id) ON DELETE CASCADE,
  inviting_id   INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  invited_id    INTEGER NOT NULL REFERENCES users (user_id) ON DELETE CASCADE,
  seq           INTEGER NOT NULL, -- of the event that told the invited user
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  UNIQUE (invited_id, server_id)
);

CREATE INDEX invitations_by_inviting ON invitations (inviting_id);
CREATE INDEX invitations_by_server ON invitations (server_id);
CREATE INDEX invitations_by_end ON invitations (expires_at);
