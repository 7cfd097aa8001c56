-- v1 (compatible with v1+): inbox, lanes with rooms and calls, outbox, notices, idempotency keys, settings
-- SPDX-License-Identifier: Apache-2.0
-- Times are UTC milliseconds, JSON is text. `lane` is the Matrix id of a bridged user.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Homeserver transactions that were accepted, and every event id that was; both outlive the inbox row (R107).
CREATE TABLE transactions (
    txn_id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX transactions_by_age ON transactions (at);

CREATE TABLE seen_events (
    lane TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (lane, event_id)
) WITHOUT ROWID;
CREATE INDEX seen_events_by_age ON seen_events (at);

-- Accepted and not yet consumed; `seq` is the order of acceptance and never comes again.
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    event_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX inbox_by_transaction ON inbox (transaction_id);

CREATE TABLE lanes (
    lane TEXT NOT NULL PRIMARY KEY,
    last_ref INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rooms (
    lane TEXT NOT NULL,
    room_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    members TEXT NOT NULL,
    join_rule TEXT NOT NULL,
    crowded INTEGER NOT NULL,
    encrypted INTEGER NOT NULL,
    PRIMARY KEY (lane, room_id)
) WITHOUT ROWID;

-- `detail` is JSON with what nothing is searched by: parties, media, candidates and, while the call is live, SDP.
CREATE TABLE calls (
    lane TEXT NOT NULL,
    id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    matrix_id TEXT NOT NULL,
    side TEXT NOT NULL,
    state TEXT NOT NULL,
    peer TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at INTEGER,
    reason TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    forget_at INTEGER NOT NULL,
    announced INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (lane, id)
);
CREATE INDEX calls_of_lines ON calls (lane) WHERE NOT forgotten;
CREATE INDEX calls_by_time ON calls (lane, created_at, id) WHERE state = 'ended';

CREATE TABLE outbox (
    lane TEXT NOT NULL,
    ref INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    type TEXT NOT NULL,
    content TEXT NOT NULL,
    txn_id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    PRIMARY KEY (lane, ref)
);

-- What the host was told. (lane, call_id, seq) makes a repeated commit harmless.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    call_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (lane, call_id, seq)
);
CREATE INDEX notices_by_lane ON notices (lane, id);
CREATE INDEX notices_by_age ON notices (at);

CREATE TABLE idempotency_keys (
    lane TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    call_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (lane, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at);

CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
