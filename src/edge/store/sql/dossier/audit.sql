-- dossier_audit
-- What the journal says too: the source, and every folded column.
SELECT id, source_id, journal_sequence, status_raw, status_stated, status, map_version, return_by, submitted_by,
    received_at, due_at, finished_at, returned_at, post_withdrawn, is_duplicate, shipment_id, discrepancy, created_at
FROM dossier WHERE id > $1 ORDER BY id LIMIT $2
