-- Versions of the advice polarity table, one a row, never changed.
CREATE TABLE advice_revisions (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
