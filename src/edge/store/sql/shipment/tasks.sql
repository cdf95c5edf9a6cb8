-- shipment_tasks
-- Open shipments that wait for a person, oldest promise first. $1 office or null, $2 doubts older than this, $3 hand-overs
-- older than this, $4 limit.
SELECT s.id, s.short_number, s.sending_office_id, s.state, s.contested, s.partial, s.held, s.unknown_code, s.custody,
    s.handed_over_at, s.without_handover, q.doubted_at, q.state AS queue_state, t.promised_at, t.discrepancy,
    (SELECT COUNT(*) FROM decision w WHERE w.shipment_id = s.id AND w.state = 'proposed') AS proposals
FROM shipment s
JOIN (SELECT i.shipment_id, MIN(d.due_at) AS promised_at, MIN(d.discrepancy) AS discrepancy
    FROM shipment_item i JOIN dossier d ON d.id = i.dossier_id GROUP BY i.shipment_id) t ON t.shipment_id = s.id
LEFT JOIN queue q ON q.shipment_id = s.id
WHERE (CAST($1 AS BYTEA) IS NULL OR s.sending_office_id = $1 OR s.return_office_id = $1)
    AND ((s.closed = 0 AND (s.held IS NOT NULL OR s.contested = 1 OR s.partial = 1 OR s.unknown_code IS NOT NULL
            OR s.without_handover = 1
            OR (q.state = 'doubt' AND q.doubted_at <= $2)
            OR (s.custody = 'handed_over' AND s.handed_over_at < $3)
            OR (s.state = 'returned' AND s.custody IN ('with_operator', 'handed_over'))
            OR (s.state IN ('cancelled', 'rejected') AND s.custody IN ('with_operator', 'handed_over'))))
        OR t.discrepancy IS NOT NULL
        OR EXISTS (SELECT 1 FROM decision w WHERE w.shipment_id = s.id AND w.state = 'proposed'))
ORDER BY COALESCE(t.promised_at, s.created_at), s.id LIMIT $4
