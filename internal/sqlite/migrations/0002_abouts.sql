-- What people told about themselves, sealed: nothing here names a case or a response.
CREATE TABLE abouts (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX abouts_changed ON abouts (changed_at, id);
