-- Which thresholds the coder goes by, and which there have been.
CREATE TABLE coder_logs (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
