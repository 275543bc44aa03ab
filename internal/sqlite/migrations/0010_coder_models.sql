-- Models that were learnt from what people coded; their numbers are sealed.
CREATE TABLE coder_models (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
