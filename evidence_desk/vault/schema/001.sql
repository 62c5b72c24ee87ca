-- Schema 1. Times are UTC text with microseconds; digests are 32-byte blobs.

CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    opened TEXT NOT NULL
) STRICT;

CREATE TABLE next_keys (
    epoch INTEGER PRIMARY KEY,
    ed25519_sha256 BLOB NOT NULL CHECK (length(ed25519_sha256) = 32),
    ed25519_sm3 BLOB NOT NULL CHECK (length(ed25519_sm3) = 32),
    sm2_sha256 BLOB NOT NULL CHECK (length(sm2_sha256) = 32),
    sm2_sm3 BLOB NOT NULL CHECK (length(sm2_sm3) = 32)
) STRICT;

CREATE TABLE leaves (
    log_id INTEGER NOT NULL REFERENCES logs (id),
    seq INTEGER NOT NULL CHECK (seq >= 0),
    type TEXT NOT NULL,
    leaf_hash BLOB NOT NULL UNIQUE CHECK (length(leaf_hash) = 32),
    leaf BLOB NOT NULL,
    PRIMARY KEY (log_id, seq)
) STRICT;

CREATE TABLE tiles (
    log_id INTEGER NOT NULL REFERENCES logs (id),
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 63),
    position INTEGER NOT NULL CHECK (position >= 0),
    hashes BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (log_id, level, position)
) STRICT;

CREATE TABLE checkpoints (
    log_id INTEGER NOT NULL REFERENCES logs (id),
    size INTEGER NOT NULL CHECK (size >= 0),
    note BLOB NOT NULL,
    PRIMARY KEY (log_id, size)
) STRICT;

-- What other machines have yet to be told; the court network reads it.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    log_id INTEGER NOT NULL REFERENCES logs (id),
    size INTEGER NOT NULL,
    payload BLOB NOT NULL DEFAULT x'',
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before TEXT,
    done TEXT
) STRICT;
CREATE INDEX outbox_open ON outbox (id) WHERE done IS NULL;

CREATE TRIGGER logs_fixed BEFORE UPDATE ON logs BEGIN SELECT RAISE(ABORT, 'logs: append only'); END;
CREATE TRIGGER logs_kept BEFORE DELETE ON logs BEGIN SELECT RAISE(ABORT, 'logs: append only'); END;
CREATE TRIGGER leaves_fixed BEFORE UPDATE ON leaves BEGIN SELECT RAISE(ABORT, 'leaves: append only'); END;
CREATE TRIGGER leaves_kept BEFORE DELETE ON leaves BEGIN SELECT RAISE(ABORT, 'leaves: append only'); END;
CREATE TRIGGER checkpoints_fixed BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints: append only'); END;
CREATE TRIGGER checkpoints_kept BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints: append only'); END;
CREATE TRIGGER tiles_kept BEFORE DELETE ON tiles BEGIN SELECT RAISE(ABORT, 'tiles: append only'); END;
CREATE TRIGGER tiles_grow BEFORE UPDATE ON tiles
WHEN substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
    OR NEW.log_id <> OLD.log_id OR NEW.level <> OLD.level OR NEW.position <> OLD.position
BEGIN SELECT RAISE(ABORT, 'tiles: append only'); END;

CREATE TABLE cases (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    details BLOB NOT NULL,
    created TEXT NOT NULL,
    erased TEXT
) STRICT;

CREATE TABLE exhibits (
    id INTEGER PRIMARY KEY,
    log_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    leaf_hash BLOB NOT NULL UNIQUE CHECK (length(leaf_hash) = 32),
    number TEXT NOT NULL,
    case_number TEXT NOT NULL REFERENCES cases (number),
    exhibit_no TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    statement BLOB NOT NULL,
    disclosures BLOB NOT NULL,
    registered TEXT NOT NULL,
    logged TEXT NOT NULL,
    timestamped TEXT,
    anchored TEXT,
    certified TEXT,
    UNIQUE (log_id, seq),
    FOREIGN KEY (log_id, seq) REFERENCES leaves (log_id, seq) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX exhibits_by_number ON exhibits (number);
CREATE INDEX exhibits_by_case ON exhibits (case_number, id);
CREATE INDEX exhibits_awaiting_timestamp ON exhibits (id) WHERE timestamped IS NULL;

CREATE TABLE objects (
    exhibit_id INTEGER NOT NULL REFERENCES exhibits (id),
    position INTEGER NOT NULL CHECK (position >= 0),
    path TEXT NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    sm3 BLOB NOT NULL CHECK (length(sm3) = 32),
    PRIMARY KEY (exhibit_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_name ON objects (name);
CREATE INDEX objects_by_sha256 ON objects (sha256);
CREATE INDEX objects_by_sm3 ON objects (sm3);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    token_sha256 BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    token BLOB NOT NULL,
    request BLOB NOT NULL,
    response BLOB NOT NULL,
    transport BLOB NOT NULL,
    authority TEXT NOT NULL,
    gen_time TEXT NOT NULL,
    preimage BLOB NOT NULL,
    attested_log INTEGER REFERENCES logs (id),
    attested_seq INTEGER
) STRICT;

CREATE TABLE crls (
    id INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    crl BLOB NOT NULL
) STRICT;

CREATE TABLE token_crls (
    token_id INTEGER NOT NULL REFERENCES tokens (id),
    position INTEGER NOT NULL,
    crl_id INTEGER NOT NULL REFERENCES crls (id),
    PRIMARY KEY (token_id, position)
) STRICT, WITHOUT ROWID;

-- leaf_hash NULL: the tree of the batch's checkpoint.
CREATE TABLE time_records (
    id INTEGER PRIMARY KEY,
    token_id INTEGER NOT NULL REFERENCES tokens (id),
    leaf_hash BLOB REFERENCES exhibits (leaf_hash),
    group_index INTEGER NOT NULL,
    tree BLOB NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX time_records_by_exhibit ON time_records (leaf_hash, token_id, group_index)
WHERE leaf_hash IS NOT NULL;
CREATE UNIQUE INDEX time_records_of_checkpoint ON time_records (token_id) WHERE leaf_hash IS NULL;

CREATE TABLE certificates (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    sm3 BLOB NOT NULL CHECK (length(sm3) = 32),
    pdf BLOB NOT NULL,
    issued TEXT NOT NULL,
    revoked TEXT,
    reason TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE certificate_exhibits (
    certificate_id INTEGER NOT NULL REFERENCES certificates (id),
    position INTEGER NOT NULL,
    leaf_hash BLOB NOT NULL REFERENCES exhibits (leaf_hash),
    PRIMARY KEY (certificate_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_exhibits_by_exhibit ON certificate_exhibits (leaf_hash);

CREATE TABLE custody (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    exhibit BLOB NOT NULL CHECK (length(exhibit) = 32),
    at TEXT NOT NULL,
    action TEXT NOT NULL,
    operator TEXT NOT NULL,
    details BLOB NOT NULL,
    leaf_log INTEGER REFERENCES logs (id),
    leaf_seq INTEGER
) STRICT;
CREATE INDEX custody_by_exhibit ON custody (exhibit, id);
CREATE INDEX custody_pending ON custody (id) WHERE leaf_seq IS NULL;
CREATE TRIGGER custody_kept BEFORE DELETE ON custody BEGIN SELECT RAISE(ABORT, 'custody: append only'); END;
CREATE TRIGGER custody_fixed BEFORE UPDATE OF id, exhibit, at, action, operator, details ON custody
BEGIN SELECT RAISE(ABORT, 'custody: append only'); END;
CREATE TRIGGER custody_logged_once BEFORE UPDATE ON custody WHEN OLD.leaf_seq IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'custody: append only'); END;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
