-- Schema 7: an exhibit is certified by a certificate in force; those whose only ones were revoked had stayed so.

UPDATE exhibits SET certified = (
    SELECT min(c.issued) FROM certificate_exhibits x JOIN certificates c ON c.id = x.certificate_id
    WHERE x.leaf_hash = exhibits.leaf_hash AND c.revoked IS NULL
) WHERE leaf_hash IN (
    SELECT x.leaf_hash FROM certificate_exhibits x JOIN certificates c ON c.id = x.certificate_id
    WHERE c.revoked IS NOT NULL
);
