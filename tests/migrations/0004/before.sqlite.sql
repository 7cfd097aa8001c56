-- SPDX-License-Identifier: Apache-2.0
-- A call that is over and one that nobody was told of: both stay as they are, and are found by other ways from now on.
INSERT INTO lanes (lane, last_ref) VALUES ('@nova_alice:example.org', 7);
INSERT INTO calls (lane, id, room_id, matrix_id, side, state, peer, created_at, answered_at, ended_at, reason, deadline,
                   forget_at, announced, forgotten, detail)
VALUES ('@nova_alice:example.org', 'c1', '!r:example.org', 'm1', 'theirs', 'ended', '@bob:example.org', 1000, 2000, 3000,
        'user_hangup', 0, 603000, 1, 1, '{"audio":true,"candidates_ended":true,"flush_at":0,"invite_sent":false,"local_sdp":"","media_flowed":true,"notice_seq":2,"our_party":"p","remote_sdp":"","unavailable_told":false,"unsent":[],"version":1,"video":false,"waiting":[]}'),
       ('@nova_alice:example.org', 'c2', '!r:example.org', 'm2', 'theirs', 'ended', '@bob:example.org', 4000, NULL, 5000,
        'user_hangup', 0, 605000, 0, 0, '{"audio":true,"candidates_ended":true,"flush_at":0,"invite_sent":false,"local_sdp":"","media_flowed":true,"notice_seq":2,"our_party":"p","remote_sdp":"","unavailable_told":false,"unsent":[],"version":1,"video":false,"waiting":[]}');
