-- dossier_insert
INSERT INTO dossier (id, source_id, code, procedure_code, office_id, journal_sequence, status_raw, status_stated, status,
    map_version, return_by, submitted_by, received_at, post_withdrawn, is_duplicate, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, 0, '', 1, 1, 0, 0, 1, $6, 0, 0, $7, $7) ON CONFLICT DO NOTHING
