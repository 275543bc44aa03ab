-- Where a coding waits for a person, and who has it.
ALTER TABLE codings ADD COLUMN queue TEXT NOT NULL DEFAULT '';
ALTER TABLE codings ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE codings ADD COLUMN holder TEXT NOT NULL DEFAULT '';
CREATE INDEX codings_queued ON codings (queue, place, id);
CREATE INDEX codings_latest ON codings (queue, changed_at, id);
CREATE INDEX codings_held ON codings (holder, place, id) WHERE holder <> '';
