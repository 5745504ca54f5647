-- SPDX-License-Identifier: LGPL-2.1-or-later
-- The one thing of a topic that an event is about, for those who have only a part of the topic.
ALTER TABLE event_log ADD COLUMN subject INTEGER;
