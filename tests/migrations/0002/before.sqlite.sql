-- SPDX-License-Identifier: Apache-2.0
-- A send of v1 that was not settled: it stays as it is, and is plain.
INSERT INTO lanes (lane, last_ref) VALUES ('@nova_alice:example.org', 7);
INSERT INTO outbox (lane, ref, call_id, room_id, type, content, txn_id, created_at, not_after)
VALUES ('@nova_alice:example.org', 7, 'c1', '!r:example.org', 'm.call.hangup', '{"reason":"user_hangup"}', 'x7', 1000, 0);
