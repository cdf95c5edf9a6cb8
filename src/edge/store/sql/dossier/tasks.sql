-- dossier_tasks
-- Dossiers whose record and the world disagree although no shipment of ours holds them.
SELECT d.id, d.office_id, d.discrepancy, COALESCE(d.due_at, d.created_at) AS promised_at FROM dossier d
WHERE d.discrepancy IS NOT NULL AND (CAST($1 AS BYTEA) IS NULL OR d.office_id = $1)
    AND NOT EXISTS (SELECT 1 FROM shipment_item i WHERE i.dossier_id = d.id)
ORDER BY COALESCE(d.due_at, d.created_at), d.id LIMIT $2
