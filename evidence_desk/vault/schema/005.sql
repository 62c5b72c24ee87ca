-- Schema 5: what people list, filter, search and note. Rows of exhibits sealed before are written by `backfill`.

ALTER TABLE cases ADD COLUMN archived TEXT;

-- What lists filter by, narrow enough to be read whole. registered: µs since 1970; states: 1 timestamped, 2 anchored, 4 certified.
CREATE TABLE listed (
    exhibit_id INTEGER PRIMARY KEY REFERENCES exhibits (id),
    case_id INTEGER NOT NULL REFERENCES cases (id),
    kind TEXT NOT NULL,
    registered INTEGER NOT NULL,
    states INTEGER NOT NULL CHECK (states BETWEEN 0 AND 7),
    files INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE INDEX listed_by_case ON listed (case_id, registered, states);
CREATE INDEX listed_by_time ON listed (registered);
CREATE INDEX listed_by_size ON listed (size);
CREATE INDEX exhibits_by_title ON exhibits (title);

CREATE TRIGGER listed_states AFTER UPDATE OF timestamped, anchored, certified ON exhibits
BEGIN
    UPDATE listed SET states = (NEW.timestamped IS NOT NULL) + 2 * (NEW.anchored IS NOT NULL)
        + 4 * (NEW.certified IS NOT NULL) WHERE exhibit_id = NEW.id;
END;

CREATE TABLE exhibit_tags (
    tag TEXT NOT NULL,
    exhibit_id INTEGER NOT NULL REFERENCES exhibits (id),
    PRIMARY KEY (tag, exhibit_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX exhibit_tags_by_exhibit ON exhibit_tags (exhibit_id);

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    exhibit_id INTEGER NOT NULL REFERENCES exhibits (id)
) STRICT;
CREATE INDEX notes_by_exhibit ON notes (exhibit_id);

-- Every wording of a note; the greatest version is the present one.
CREATE TABLE note_versions (
    note_id INTEGER NOT NULL REFERENCES notes (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    author TEXT NOT NULL,
    at TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (note_id, version)
) STRICT, WITHOUT ROWID;

-- What the statement of a derived exhibit says it was made from; the source may lie in another vault.
CREATE TABLE exhibit_links (
    exhibit_id INTEGER PRIMARY KEY REFERENCES exhibits (id),
    relation TEXT NOT NULL,
    source_leaf BLOB NOT NULL CHECK (length(source_leaf) = 32),
    position INTEGER NOT NULL CHECK (position >= 1)
) STRICT;
CREATE INDEX exhibit_links_by_source ON exhibit_links (source_leaf);

-- The text that `exhibit_grams` holds of an exhibit, its tags and notes apart: needed to take it out again.
CREATE TABLE exhibit_words (
    exhibit_id INTEGER PRIMARY KEY REFERENCES exhibits (id),
    words TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT ''
) STRICT;

-- Full text: pairs of characters (core.search_text), so that two Chinese characters are found as fast as long words.
CREATE VIRTUAL TABLE exhibit_grams USING fts5 (grams, content = '', columnsize = 0, tokenize = 'ascii');
INSERT INTO exhibit_grams (exhibit_grams, rank) VALUES ('secure-delete', 1);
