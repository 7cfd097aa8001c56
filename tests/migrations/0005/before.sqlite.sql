-- SPDX-License-Identifier: Apache-2.0
-- A worker that is there while another begins to use the new version: it said nothing of what it keeps.
INSERT INTO workers (worker, until) VALUES ('host:1:a', 5000);
