-- v3 (compatible with v3+): several workers on one database
-- SPDX-License-Identifier: Apache-2.0

-- Who is there. `until` is by this database's clock, in UTC milliseconds, here and below.
CREATE TABLE workers (
    worker TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) WITHOUT ROWID;

-- Each lane belongs to one partition (`part`), each partition to one worker at most, under a token that only grows.
CREATE TABLE partitions (
    part INTEGER NOT NULL PRIMARY KEY,
    worker TEXT NOT NULL,
    token INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO partitions (part, worker, token, until)
    WITH RECURSIVE n(part) AS (SELECT 0 UNION ALL SELECT part + 1 FROM n WHERE part < 63)
    SELECT part, '', 0, 0 FROM n;

-- -1: written before there were partitions; filled in at the next start.
ALTER TABLE lanes ADD COLUMN part INTEGER NOT NULL DEFAULT -1;
CREATE INDEX lanes_by_part ON lanes (part);
ALTER TABLE inbox ADD COLUMN part INTEGER NOT NULL DEFAULT -1;
CREATE INDEX inbox_by_part ON inbox (part, seq);

-- Who is in which room with whom: what rooms.members says, to be searched by workers that do not hold the lane.
CREATE TABLE room_members (
    lane TEXT NOT NULL,
    room_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (lane, room_id, user_id)
) WITHOUT ROWID;
CREATE INDEX room_members_by_room ON room_members (room_id, lane);
CREATE INDEX room_members_by_user ON room_members (user_id, lane);

-- Requests of one worker to whoever holds a lane, and the answers; not worth keeping when the server crashes.
CREATE TABLE errands (
    id TEXT NOT NULL PRIMARY KEY,
    part INTEGER NOT NULL,
    lane TEXT NOT NULL,
    worker TEXT NOT NULL,
    answered INTEGER NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL
);
CREATE INDEX errands_by_part ON errands (part) WHERE NOT answered;
CREATE INDEX errands_by_worker ON errands (worker) WHERE answered;
