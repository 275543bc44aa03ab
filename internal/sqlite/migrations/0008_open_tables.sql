-- Figures that were published for everybody, a quarter each, frozen as they were.
CREATE TABLE open_tables (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
