-- Configurations that came into force, without their secrets.

CREATE TABLE config_entry (
    id      INTEGER NOT NULL PRIMARY KEY,
    at      INTEGER NOT NULL,
    cause   INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    changes TEXT    NOT NULL,
    digest  TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    seal    INTEGER NOT NULL
) STRICT;
