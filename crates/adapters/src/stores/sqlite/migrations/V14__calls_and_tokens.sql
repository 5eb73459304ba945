-- Answers kept for callers that may ask again, and what lets callers in.

CREATE TABLE call (
    source INTEGER NOT NULL,
    key    TEXT    NOT NULL,
    digest INTEGER NOT NULL,
    judged TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    seal   INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_by_age ON call (at);

CREATE TABLE token (
    name       TEXT    NOT NULL PRIMARY KEY,
    scope      INTEGER NOT NULL,
    tenant     TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    seal       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
