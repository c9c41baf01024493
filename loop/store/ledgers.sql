-- Version 3: the ledger of each round, and the replicates that an audit found not to count.

CREATE TABLE ledgers (
    round INTEGER PRIMARY KEY REFERENCES decisions,
    ledger TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_audit_extension ON extensions (round) WHERE origin = 'audit';

ALTER TABLE tasks ADD COLUMN superseded INTEGER REFERENCES ledgers;

CREATE TRIGGER ledgers_stay BEFORE DELETE ON ledgers
    BEGIN SELECT raise(ABORT, 'ledgers are append-only'); END;
CREATE TRIGGER ledgers_are_final BEFORE UPDATE ON ledgers
    BEGIN SELECT raise(ABORT, 'ledgers are append-only'); END;
