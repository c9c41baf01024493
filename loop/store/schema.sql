-- Version 1 of a campaign's database (later versions: loop/store/database.py, STEPS). States and the exactly-once protocol: loop/store/writer.py.
-- `since` and `until` are event numbers: a row is current while `until` is null, and nothing is ever deleted.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE TABLE config_versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,
    text TEXT NOT NULL,
    guarded TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE decisions (round INTEGER PRIMARY KEY, info TEXT NOT NULL, at TEXT NOT NULL) STRICT;

CREATE TABLE designs (id TEXT PRIMARY KEY, "values" TEXT NOT NULL) STRICT;

CREATE TABLE proposals (
    round INTEGER NOT NULL REFERENCES decisions,
    position INTEGER NOT NULL,
    design_id TEXT NOT NULL REFERENCES designs,
    generator TEXT NOT NULL,
    model_digest TEXT,
    latent TEXT,
    parents TEXT NOT NULL,
    log_density REAL,
    checks TEXT NOT NULL,
    role TEXT NOT NULL,
    value REAL,
    predicted TEXT NOT NULL,
    PRIMARY KEY (round, position)
) STRICT;

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    design_id TEXT NOT NULL REFERENCES designs,
    oracle TEXT NOT NULL,
    fidelity TEXT NOT NULL,
    replicate INTEGER NOT NULL CHECK (replicate >= 0),
    seed INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('measurement', 'simulation', 'synthetic')),
    round INTEGER NOT NULL,
    position INTEGER NOT NULL,
    told INTEGER NOT NULL CHECK (told IN (0, 1)),
    person INTEGER NOT NULL CHECK (person IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
    cause TEXT CHECK (cause IN ('infeasible', 'unphysical', 'unconverged', 'infrastructure', 'cancelled')),
    reason TEXT,
    UNIQUE (design_id, oracle, fidelity, replicate)
) STRICT;
CREATE INDEX tasks_by_state ON tasks (state);

CREATE TABLE attempts (
    id TEXT PRIMARY KEY,
    task_id TEXT NOT NULL REFERENCES tasks,
    n INTEGER NOT NULL CHECK (n >= 1),
    token TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('submitted', 'done', 'failed', 'timeout', 'crashed', 'lost', 'cancelled')),
    host TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    ended_at TEXT,
    cause TEXT,
    reason TEXT,
    result TEXT,
    UNIQUE (task_id, n)
) STRICT;
CREATE UNIQUE INDEX one_live_attempt ON attempts (task_id) WHERE state = 'submitted';
CREATE UNIQUE INDEX one_done_attempt ON attempts (task_id) WHERE state = 'done';

CREATE TABLE told_rows (
    hash TEXT PRIMARY KEY,
    sheet_id TEXT NOT NULL,
    task_id TEXT NOT NULL REFERENCES tasks,
    content TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE TABLE observations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id TEXT NOT NULL REFERENCES tasks,
    property TEXT NOT NULL,
    mean REAL NOT NULL,
    se REAL NOT NULL CHECK (se >= 0),
    unit TEXT NOT NULL,
    n_eff REAL,
    method TEXT NOT NULL,
    attempt_id TEXT REFERENCES attempts,
    told_hash TEXT REFERENCES told_rows,
    since INTEGER NOT NULL REFERENCES events,
    until INTEGER REFERENCES events,
    CHECK ((attempt_id IS NULL) <> (told_hash IS NULL))
) STRICT;
CREATE UNIQUE INDEX one_current_value ON observations (task_id, property) WHERE until IS NULL;

CREATE TABLE artifacts (
    attempt_id TEXT NOT NULL REFERENCES attempts,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (attempt_id, path)
) STRICT;

CREATE TRIGGER events_stay BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_final BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions
    BEGIN SELECT raise(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_are_final BEFORE UPDATE ON decisions
    BEGIN SELECT raise(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER observations_stay BEFORE DELETE ON observations
    BEGIN SELECT raise(ABORT, 'observations are never deleted'); END;
CREATE TRIGGER observations_are_final BEFORE UPDATE OF task_id, property, mean, se, unit, n_eff, method, since ON observations
    BEGIN SELECT raise(ABORT, 'observations are never changed'); END;
