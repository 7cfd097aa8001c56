-- v2 (compatible with v2+): sealed state of devices, sends that wait to be encrypted
-- SPDX-License-Identifier: Apache-2.0
-- A program of v1 would send as plain text what waits to be encrypted.

-- What is inside is sealed; `backend` and `format` say who can read it once it is unsealed.
CREATE TABLE crypto_state (
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    backend TEXT NOT NULL,
    format INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (lane, kind, key)
);

-- 'plain': sent as it is. 'waiting': to be encrypted first. 'encrypted': `content` is that of m.room.encrypted, and
-- `type` still what is inside.
ALTER TABLE outbox ADD COLUMN form TEXT NOT NULL DEFAULT 'plain';
