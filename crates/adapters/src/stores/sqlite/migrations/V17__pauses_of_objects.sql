-- A pause of one object of a system; pauses of a system as a whole stay in the table `pause`.

CREATE TABLE pause_object (
    system TEXT    NOT NULL,
    object TEXT    NOT NULL,
    since  INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    seal   INTEGER NOT NULL,
    PRIMARY KEY (system, object)
) STRICT, WITHOUT ROWID;
