-- SPDX-License-Identifier: Apache-2.0
-- A lane of v2 with what waits for it: partitions are filled in at the next start, by the program.
INSERT INTO lanes (lane, last_ref) VALUES ('@nova_alice:example.org', 7);
INSERT INTO inbox (lane, event_id, transaction_id, received_at, body)
VALUES ('@nova_alice:example.org', '$e', 't1', 1000, '{"type":"m.call.invite"}');
