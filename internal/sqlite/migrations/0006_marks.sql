-- What happened beside the figures: policy changes, notes, and charts that were re-based.
CREATE TABLE marks (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    on_day  TEXT NOT NULL,
    body    TEXT NOT NULL
) STRICT;
