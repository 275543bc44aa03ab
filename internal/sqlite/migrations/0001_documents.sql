-- One table a collection. body is the whole document as JSON; the columns
-- before it are what the store has to find, order or stream by. Times are unix
-- milliseconds (UTC); a time that is not set is -62135596800000, the zero time.
-- body stands last, so that a scan of the columns never reads a long row whole.

CREATE TABLE events (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    applied     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE INDEX events_unapplied ON events (received_at, id) WHERE applied = 0;

CREATE TABLE cases (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    respondent TEXT NOT NULL,
    advocate   TEXT NOT NULL,
    next_at    INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX cases_respondent ON cases (respondent, id);
CREATE INDEX cases_advocate ON cases (advocate, id) WHERE advocate <> '';
CREATE INDEX cases_due ON cases (next_at, id) WHERE next_at > -62135596800000;
CREATE INDEX cases_changed ON cases (changed_at, id);

-- Addresses: never in a table with answers, and nothing here names a case.
CREATE TABLE contacts (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE refusals (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE links (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX links_expires ON links (expires_at);

CREATE TABLE sittings (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX sittings_expires ON sittings (expires_at);

-- Everything a figure reads is a column, so that streaming parses no JSON.
CREATE TABLE responses (
    id            TEXT PRIMARY KEY,
    version       INTEGER NOT NULL,
    respondent    TEXT NOT NULL,
    stage         TEXT NOT NULL,
    round         INTEGER NOT NULL,
    mode          TEXT NOT NULL,
    questionnaire TEXT NOT NULL,
    state         TEXT NOT NULL,
    quick         INTEGER NOT NULL,
    packed        BLOB,
    submitted_at  INTEGER NOT NULL,
    changed_at    INTEGER NOT NULL,
    closes_at     INTEGER NOT NULL,
    receipt       TEXT NOT NULL,
    follow_up     INTEGER NOT NULL,
    uncoded       INTEGER NOT NULL,
    body          TEXT NOT NULL
) STRICT;
CREATE INDEX responses_respondent ON responses (respondent, id);
CREATE INDEX responses_receipt ON responses (receipt, id) WHERE receipt <> '';
CREATE INDEX responses_changed ON responses (changed_at, id) WHERE state <> 'draft';
CREATE INDEX responses_follow ON responses (changed_at, id) WHERE follow_up = 1;
CREATE INDEX responses_uncoded ON responses (changed_at, id) WHERE uncoded = 1;
CREATE INDEX responses_drafts ON responses (closes_at, id) WHERE state = 'draft';

CREATE TABLE codings (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    response   TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX codings_response ON codings (response, id);
CREATE INDEX codings_changed ON codings (changed_at, id);

CREATE TABLE alerts (
    id       TEXT PRIMARY KEY,
    version  INTEGER NOT NULL,
    advocate TEXT NOT NULL,
    state    TEXT NOT NULL,
    due_at   INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_due ON alerts (due_at, id);
CREATE INDEX alerts_state ON alerts (state, due_at, id);
CREATE INDEX alerts_advocate ON alerts (advocate, due_at, id);

CREATE TABLE actions (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    due_on  TEXT NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE subscribers (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE publications (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE messages (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    mail_id     TEXT NOT NULL,
    state       TEXT NOT NULL,
    due_at      INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE INDEX messages_mail ON messages (mail_id, id) WHERE mail_id <> '';
CREATE INDEX messages_due ON messages (state, due_at, id);
CREATE INDEX messages_lease ON messages (lease_until) WHERE state = 'sending';

CREATE TABLE leases (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE users (
    id        TEXT PRIMARY KEY,
    version   INTEGER NOT NULL,
    email_key TEXT NOT NULL,
    body      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email_key);

CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    user_id    TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires ON sessions (expires_at);

CREATE TABLE api_keys (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;

CREATE TABLE staff_links (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    user_id    TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX staff_links_user ON staff_links (user_id);
CREATE INDEX staff_links_expires ON staff_links (expires_at);

CREATE TABLE throttles (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX throttles_last ON throttles (last_at);

CREATE TABLE audit (
    seq  INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
