-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Whose accounts were deleted, and when: what an issuer signed before lets nobody in any more, neither as a new account
-- of the name nor as the next person who has it. Kept as long as such a token can live.
CREATE TABLE gone_usernames (
  username TEXT    NOT NULL PRIMARY KEY,
  gone_at  INTEGER NOT NULL
);

CREATE INDEX gone_usernames_by_time ON gone_usernames (gone_at);
