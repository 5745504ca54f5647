-- SPDX-License-Identifier: LGPL-2.1-or-later
-- Who a session is, beside its user: for a process that goes on with it after the one before was killed.
ALTER TABLE sessions ADD COLUMN token_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0; -- the token's; 0: never
ALTER TABLE sessions ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;
