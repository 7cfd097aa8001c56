-- v4 (compatible with v3+): what ended calls leave is found by its age, what waits by its event id
-- SPDX-License-Identifier: Apache-2.0

CREATE INDEX calls_by_end ON calls (ended_at, lane, id) WHERE state = 'ended';
CREATE INDEX calls_never_told ON calls (forget_at) WHERE NOT announced;

-- Rows that are updated again and again find room in their page, so that no index is touched (HOT).
ALTER TABLE calls SET (fillfactor = 70);
ALTER TABLE lanes SET (fillfactor = 50);
ALTER TABLE crypto_state SET (fillfactor = 80);

-- What comes and goes with each event: dead rows are cleared by number, not by a share of what is there.
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
ALTER TABLE lanes SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE calls SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE notices SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE seen_events SET (autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE transactions SET (autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX inbox_by_event ON inbox (lane, event_id);
