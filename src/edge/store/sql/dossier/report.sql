-- dossier_report
-- Dossiers that may count in a period, with the shipment their delivery block shows; a page by key. $2 receiving office or null.
SELECT d.id, d.status_stated, d.return_by, d.submitted_by, d.received_at, d.due_at, d.finished_at, d.returned_at,
    d.post_withdrawn, d.is_duplicate, d.shipment_id, s.state, s.contested, s.partial, s.held, s.delivered_at, s.collected_at,
    s.handed_over_at
FROM dossier d LEFT JOIN shipment s ON s.id = d.shipment_id
WHERE d.id > $1 AND (CAST($2 AS BYTEA) IS NULL OR d.office_id = $2) ORDER BY d.id LIMIT $3
