-- Lean tables: integer ids, state on the link, codes for states, a seal over every column of every row.
-- Codes: link.state 0 idle, 1 dead, 2 in flight, 3 held, 4 backing off, 5 waiting, 6 paused (up to 1 nothing is under way);
-- attempt.fate 0 open, 1 unknown, 2 proven, 3 not done, 4 expired (up to 1 it may still land).

CREATE TABLE system (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE,
    seal INTEGER NOT NULL
) STRICT;

CREATE TABLE checkpoint (
    source   INTEGER PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    cursor   TEXT    NOT NULL,
    seal     INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
    id           INTEGER PRIMARY KEY,
    record_type  TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    state        INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    source       INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    field_orders TEXT    NOT NULL,
    fields       TEXT    NOT NULL,
    seal         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_by_key ON record (record_type, key);

-- Three halves with a seal each: what the link is, what intake asked for, what the lane did.
CREATE TABLE link (
    id               INTEGER PRIMARY KEY,
    record           INTEGER NOT NULL,
    system           INTEGER NOT NULL,
    object           TEXT    NOT NULL,
    seal             INTEGER NOT NULL,
    opened           INTEGER NOT NULL,
    generation_start INTEGER NOT NULL,
    desired          INTEGER NOT NULL,
    due_since        INTEGER NOT NULL,
    duty_seal        INTEGER NOT NULL,
    state            INTEGER NOT NULL,
    closed           INTEGER NOT NULL,
    unchanged        INTEGER NOT NULL,
    superseded       INTEGER NOT NULL,
    failures         INTEGER NOT NULL,
    failing_since    INTEGER,
    until            INTEGER,
    letters          TEXT,
    waits_for        INTEGER,
    external_id      TEXT,
    base             TEXT,
    side_seal        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX link_by_record ON link (record, system, object);
CREATE INDEX link_due ON link (system, due_since, id) WHERE opened > closed AND state <= 1;
CREATE INDEX link_busy ON link (system, state, id) WHERE state >= 1;
CREATE INDEX link_by_external ON link (system, object, external_id) WHERE external_id IS NOT NULL;

CREATE TABLE event (
    id          INTEGER PRIMARY KEY,
    source      INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    record      INTEGER NOT NULL,
    operation   INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    routing     INTEGER NOT NULL,
    opened      TEXT    NOT NULL,
    seal        INTEGER NOT NULL
) STRICT;
CREATE INDEX event_by_record ON event (record);

CREATE TABLE seen (
    source      INTEGER NOT NULL,
    event_id    TEXT    NOT NULL,
    digest      INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    seal        INTEGER NOT NULL,
    PRIMARY KEY (source, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    id           INTEGER PRIMARY KEY,
    link         INTEGER NOT NULL,
    record       INTEGER NOT NULL,
    system       INTEGER NOT NULL,
    charge       INTEGER NOT NULL,
    operation    INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    covers_after INTEGER NOT NULL,
    covers_to    INTEGER NOT NULL,
    row_values   TEXT    NOT NULL,
    opened_at    INTEGER NOT NULL,
    horizon      INTEGER NOT NULL,
    seal         INTEGER NOT NULL,
    fate         INTEGER NOT NULL,
    applied      INTEGER NOT NULL,
    coalesced    INTEGER NOT NULL,
    fate_seal    INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_by_link ON attempt (link);
CREATE INDEX attempt_open ON attempt (system, id) WHERE fate <= 1;

CREATE TABLE charge (
    id          INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    call        TEXT    NOT NULL,
    pools       TEXT    NOT NULL,
    items       INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    horizon     INTEGER NOT NULL,
    seal        INTEGER NOT NULL,
    answered_at INTEGER,
    released    INTEGER NOT NULL,
    close_seal  INTEGER NOT NULL
) STRICT;

CREATE TABLE letter (
    id         INTEGER PRIMARY KEY,
    link       INTEGER,
    source     INTEGER,
    place      TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    field      TEXT,
    message    TEXT    NOT NULL,
    remedy     TEXT    NOT NULL,
    raw        BLOB,
    created_at INTEGER NOT NULL,
    seal       INTEGER NOT NULL,
    held       INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    ended_at   INTEGER,
    note       TEXT,
    end_seal   INTEGER NOT NULL
) STRICT;
CREATE INDEX letter_waiting ON letter (id) WHERE state = 0;

CREATE TABLE pause (
    system TEXT    NOT NULL,
    scope  INTEGER NOT NULL,
    since  INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    seal   INTEGER NOT NULL,
    PRIMARY KEY (system, scope)
) STRICT, WITHOUT ROWID;

-- The ledger's accounts, and under the scope `rows` how many rows each table must have.
CREATE TABLE counter (
    scope  TEXT    NOT NULL,
    number INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    value  INTEGER NOT NULL,
    seal   INTEGER NOT NULL,
    PRIMARY KEY (scope, number, name)
) STRICT, WITHOUT ROWID;
