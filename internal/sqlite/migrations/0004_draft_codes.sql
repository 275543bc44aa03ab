-- Codes that somebody proposes for the codebook, from terms that stood out.
CREATE TABLE draft_codes (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
