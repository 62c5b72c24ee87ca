-- Schema 3: cases whose leaves go to the network without envelopes (仅哈希).

ALTER TABLE cases ADD COLUMN leaves_only INTEGER NOT NULL DEFAULT 0 CHECK (leaves_only IN (0, 1));
CREATE INDEX custody_by_leaf ON custody (leaf_log, leaf_seq);
CREATE INDEX certificates_by_leaf ON certificates (leaf_hash);
