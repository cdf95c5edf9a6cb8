-- dossier_fold
-- The folded columns, written together with the facts they follow from.
UPDATE dossier SET journal_sequence = $2, status_raw = $3, status_stated = $4, status = $5, map_version = $6,
    return_by = $7, submitted_by = $8, received_at = $9, due_at = $10, finished_at = $11, returned_at = $12,
    post_withdrawn = $13, is_duplicate = $14, shipment_id = $15, discrepancy = $16, updated_at = $17
WHERE id = $1
