-- v3 (compatible with v3+): several workers on one database
-- SPDX-License-Identifier: Apache-2.0

-- Who is there. `until` is by this database's clock, in UTC milliseconds, here and below.
CREATE TABLE workers (
    worker TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);

-- Each lane belongs to one partition (`part`), each partition to one worker at most, under a token that only grows.
CREATE TABLE partitions (
    part INTEGER NOT NULL PRIMARY KEY,
    worker TEXT COLLATE "C" NOT NULL,
    token BIGINT NOT NULL,
    until BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO partitions (part, worker, token, until) SELECT n, '', 0, 0 FROM generate_series(0, 63) AS n;

-- -1: written before there were partitions; filled in at the next start.
ALTER TABLE lanes ADD COLUMN part INTEGER NOT NULL DEFAULT -1;
CREATE INDEX lanes_by_part ON lanes (part);
ALTER TABLE inbox ADD COLUMN part INTEGER NOT NULL DEFAULT -1;
CREATE INDEX inbox_by_part ON inbox (part, seq);

-- Who is in which room with whom: what rooms.members says, to be searched by workers that do not hold the lane.
CREATE TABLE room_members (
    lane TEXT COLLATE "C" NOT NULL,
    room_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (lane, room_id, user_id)
);
CREATE INDEX room_members_by_room ON room_members (room_id, lane);
CREATE INDEX room_members_by_user ON room_members (user_id, lane);

-- Requests of one worker to whoever holds a lane, and the answers; not worth keeping when the server crashes.
CREATE UNLOGGED TABLE errands (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    part INTEGER NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    worker TEXT COLLATE "C" NOT NULL,
    answered BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX errands_by_part ON errands (part) WHERE NOT answered;
CREATE INDEX errands_by_worker ON errands (worker) WHERE answered;
