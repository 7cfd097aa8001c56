-- v1 (compatible with v1+): inbox, lanes with rooms and calls, outbox, notices, idempotency keys, settings
-- SPDX-License-Identifier: Apache-2.0
-- Times are UTC milliseconds, JSON is text. `lane` is the Matrix id of a bridged user.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Homeserver transactions that were accepted, and every event id that was; both outlive the inbox row (R107).
CREATE TABLE transactions (
    txn_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX transactions_by_age ON transactions (at);

CREATE TABLE seen_events (
    lane TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (lane, event_id)
);
CREATE INDEX seen_events_by_age ON seen_events (at);

-- Accepted and not yet consumed; `seq` is the order of acceptance and never comes again.
CREATE TABLE inbox (
    seq BIGSERIAL PRIMARY KEY,
    lane TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    transaction_id TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX inbox_by_transaction ON inbox (transaction_id);

CREATE TABLE lanes (
    lane TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    last_ref BIGINT NOT NULL
);

CREATE TABLE rooms (
    lane TEXT COLLATE "C" NOT NULL,
    room_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    members TEXT NOT NULL,
    join_rule TEXT NOT NULL,
    crowded BOOLEAN NOT NULL,
    encrypted BOOLEAN NOT NULL,
    PRIMARY KEY (lane, room_id)
);

-- `detail` is JSON with what nothing is searched by: parties, media, candidates and, while the call is live, SDP.
CREATE TABLE calls (
    lane TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    room_id TEXT COLLATE "C" NOT NULL,
    matrix_id TEXT COLLATE "C" NOT NULL,
    side TEXT NOT NULL,
    state TEXT NOT NULL,
    peer TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    reason TEXT NOT NULL,
    deadline BIGINT NOT NULL,
    forget_at BIGINT NOT NULL,
    announced BOOLEAN NOT NULL,
    forgotten BOOLEAN NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (lane, id)
);
CREATE INDEX calls_of_lines ON calls (lane) WHERE NOT forgotten;
CREATE INDEX calls_by_time ON calls (lane, created_at, id) WHERE state = 'ended';

CREATE TABLE outbox (
    lane TEXT COLLATE "C" NOT NULL,
    ref BIGINT NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    room_id TEXT COLLATE "C" NOT NULL,
    type TEXT NOT NULL,
    content TEXT NOT NULL,
    txn_id TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    PRIMARY KEY (lane, ref)
);

-- What the host was told. (lane, call_id, seq) makes a repeated commit harmless.
CREATE TABLE notices (
    id BIGSERIAL PRIMARY KEY,
    lane TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (lane, call_id, seq)
);
CREATE INDEX notices_by_lane ON notices (lane, id);
CREATE INDEX notices_by_age ON notices (at);

CREATE TABLE idempotency_keys (
    lane TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_hash BYTEA NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (lane, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at);

CREATE TABLE settings (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
