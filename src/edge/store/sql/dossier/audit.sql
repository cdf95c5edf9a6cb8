-- dossier_audit
SELECT d.id, d.source_id, s.code AS source_code, d.code, d.procedure_code, d.office_id, d.record_id, d.journal_sequence, d.status_raw,
    d.status_stated, d.status, d.map_version, d.return_by, d.submitted_by, d.received_at, d.due_at, d.finished_at,
    d.returned_at, d.post_withdrawn, d.is_duplicate, d.shipment_id, d.discrepancy, d.created_at, d.updated_at
FROM dossier d JOIN source_system s ON s.id = d.source_id WHERE d.id > $1 ORDER BY d.id LIMIT $2
