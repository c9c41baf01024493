-- Version 2: replicates added to evaluations that exist, each time by a decision of its own, and counted as a budget
-- (`replicates` is no longer among the guarded settings).

CREATE TABLE extensions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    round INTEGER NOT NULL REFERENCES decisions,
    origin TEXT NOT NULL,
    reason TEXT NOT NULL,
    info TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_undecided_extension ON extensions (round) WHERE origin = 'undecided';

ALTER TABLE tasks ADD COLUMN extension INTEGER REFERENCES extensions;

UPDATE config_versions SET guarded = json_set(guarded, '$.oracles', json((
    SELECT json_group_object(key, json_remove(value, '$.replicates')) FROM json_each(guarded, '$.oracles')
))) WHERE json_type(guarded, '$.oracles') = 'object';

CREATE TRIGGER extensions_stay BEFORE DELETE ON extensions
    BEGIN SELECT raise(ABORT, 'extensions are append-only'); END;
CREATE TRIGGER extensions_are_final BEFORE UPDATE ON extensions
    BEGIN SELECT raise(ABORT, 'extensions are append-only'); END;
