-- Schema 6: web captures, those that failed or were abandoned too. document and manifest are '' once their case was erased,
-- manifest also until the capture is sealed.

CREATE TABLE captures (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    case_number TEXT NOT NULL REFERENCES cases (number),
    started_leaf BLOB NOT NULL UNIQUE CHECK (length(started_leaf) = 32),
    started TEXT NOT NULL,
    document BLOB NOT NULL,
    manifest BLOB NOT NULL DEFAULT x'',
    state TEXT NOT NULL CHECK (state IN ('running', 'sealed', 'abandoned')),
    result TEXT CHECK (result IN ('complete', 'partial', 'failed')),
    ended TEXT,
    ended_leaf BLOB CHECK (length(ended_leaf) = 32),
    CHECK ((state = 'running') = (ended IS NULL)),
    CHECK ((state = 'running') = (ended_leaf IS NULL)),
    CHECK (state = 'sealed' OR result IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX captures_by_case ON captures (case_number, started);
