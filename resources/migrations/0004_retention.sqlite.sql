-- v4 (compatible with v3+): what ended calls leave is found by its age, what waits by its event id
-- SPDX-License-Identifier: Apache-2.0
-- auto_vacuum stays off: pages that are freed are used again, and moving them costs more than it saves.

CREATE INDEX calls_by_end ON calls (ended_at, lane, id) WHERE state = 'ended';
CREATE INDEX calls_never_told ON calls (forget_at) WHERE NOT announced;

CREATE INDEX inbox_by_event ON inbox (lane, event_id);
