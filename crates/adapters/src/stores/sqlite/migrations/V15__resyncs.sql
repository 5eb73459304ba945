-- Deliveries that resyncs opened; forced 1 forgets what is known of theirs.

CREATE TABLE resync (
    link   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    forced INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    seal   INTEGER NOT NULL,
    PRIMARY KEY (link, number)
) STRICT, WITHOUT ROWID;
