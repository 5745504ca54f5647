-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Everybody in a server has its role of the same id, the lowest: that is what every member may.
INSERT INTO roles (role_id, server_id, name, position, permissions)
  SELECT server_id, server_id, 'everyone', 0, 64 FROM servers;

ALTER TABLE member_roles ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;

-- The part of a topic that a session has: pairs of ids, eight bytes each, little-endian; NULL: all of it.
ALTER TABLE session_topics ADD COLUMN ranges BLOB;

-- The rev of a member's row is that of its last change; that of joining is needed by itself, because who has joined
-- since is told everything.
ALTER TABLE members ADD COLUMN joined_rev INTEGER NOT NULL DEFAULT 0;
UPDATE members SET joined_rev = rev;
