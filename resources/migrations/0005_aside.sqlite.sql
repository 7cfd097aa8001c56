-- v5 (compatible with v3+): what workers keep in the inbox and is no backlog, for those who count what waits
-- SPDX-License-Identifier: Apache-2.0

ALTER TABLE workers ADD COLUMN aside INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workers ADD COLUMN aside_bytes INTEGER NOT NULL DEFAULT 0;
