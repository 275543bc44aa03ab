-- What may be quoted of people's words: where it stands in a coding, never the words.
CREATE TABLE quotations (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    state      TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX quotations_state ON quotations (state, changed_at, id);
