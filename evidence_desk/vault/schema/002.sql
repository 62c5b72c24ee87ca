-- Schema 2: what the court network accepted, and what it answered when its answer contradicted our log.

-- One verified answer (anchor/1, its list of leaves empty); several of one size when many exhibits ask.
CREATE TABLE court_anchors (
    id INTEGER PRIMARY KEY,
    log_id INTEGER NOT NULL REFERENCES logs (id),
    chain_id TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    header_time TEXT NOT NULL,
    answer BLOB NOT NULL,
    stored TEXT NOT NULL
) STRICT;
CREATE INDEX court_anchors_by_size ON court_anchors (log_id, chain_id, size, id);

-- Events about an exhibit's leaf, under the newest state that its answer shows. Stale: newer ones are on chain.
CREATE TABLE court_events (
    leaf_hash BLOB PRIMARY KEY REFERENCES exhibits (leaf_hash) CHECK (length(leaf_hash) = 32),
    anchor_id INTEGER NOT NULL REFERENCES court_anchors (id),
    events BLOB NOT NULL,
    stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX court_events_by_anchor ON court_events (anchor_id);

-- Headers of those answers, and the RFC 3161 token over each; NULL while it is still to be had.
CREATE TABLE court_tokens (
    header_hash BLOB PRIMARY KEY CHECK (length(header_hash) = 32),
    chain_id TEXT NOT NULL,
    height INTEGER NOT NULL,
    header_time TEXT NOT NULL,
    token BLOB,
    response BLOB,
    transport BLOB,
    authority TEXT,
    gen_time TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX court_tokens_wanted ON court_tokens (height) WHERE token IS NULL;

CREATE TABLE court_conflicts (
    id INTEGER PRIMARY KEY,
    log_id INTEGER NOT NULL REFERENCES logs (id),
    found TEXT NOT NULL,
    code TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    answer BLOB NOT NULL
) STRICT;
CREATE TRIGGER court_conflicts_kept BEFORE DELETE ON court_conflicts
BEGIN SELECT RAISE(ABORT, 'court_conflicts: append only'); END;
CREATE TRIGGER court_conflicts_fixed BEFORE UPDATE ON court_conflicts
BEGIN SELECT RAISE(ABORT, 'court_conflicts: append only'); END;

CREATE INDEX leaves_rotating_keys ON leaves (log_id, seq) WHERE type = 'key.rotated';
CREATE INDEX exhibits_awaiting_anchor ON exhibits (log_id, seq) WHERE anchored IS NULL;
CREATE INDEX tokens_by_attested ON tokens (attested_log, attested_seq);
