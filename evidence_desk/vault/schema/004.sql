-- Schema 4: files waiting to be sealed, and half-filled forms. Both outlive a crash.

CREATE TABLE seal_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    case_number TEXT NOT NULL,
    request BLOB NOT NULL,
    created TEXT NOT NULL
) STRICT;
CREATE INDEX seal_batches_by_case ON seal_batches (case_number);

-- Each path becomes one exhibit, in order of id. leaf_hash: the exhibit it became, or the one it repeats.
CREATE TABLE seal_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id INTEGER NOT NULL REFERENCES seal_batches (id),
    path BLOB NOT NULL CHECK (length(path) > 0),
    size INTEGER NOT NULL CHECK (size >= 0),
    files INTEGER NOT NULL CHECK (files >= 0),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'working', 'sealed', 'duplicate', 'failed', 'canceled')),
    error TEXT,
    parameters BLOB,
    leaf_hash BLOB REFERENCES exhibits (leaf_hash),
    changed TEXT NOT NULL,
    CHECK ((state IN ('sealed', 'duplicate')) = (leaf_hash IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL)),
    CHECK ((error IS NULL) = (parameters IS NULL))
) STRICT;
CREATE INDEX seal_items_by_state ON seal_items (state, id);
CREATE INDEX seal_items_by_batch ON seal_items (batch_id, id);
CREATE INDEX seal_items_by_exhibit ON seal_items (leaf_hash) WHERE leaf_hash IS NOT NULL;

-- case_number '' for a form of no case.
CREATE TABLE drafts (
    name TEXT PRIMARY KEY,
    case_number TEXT NOT NULL,
    content BLOB NOT NULL,
    saved TEXT NOT NULL
) STRICT, WITHOUT ROWID;
