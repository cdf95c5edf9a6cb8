-- shipment_page
-- One source's shipments after a position, oldest first. Empty texts and a negative flag mean: any.
SELECT s.id, s.short_number, s.source_id, s.account_id, s.reference, s.record_id, s.revision, s.receiving_office_id,
    s.deciding_office_id, s.sending_office_id, s.return_office_id, s.journal_sequence, s.state, s.contested, s.partial, s.held,
    s.attempts, s.visits, s.failure_code, s.last_event_at, s.delivered_at, s.custody, s.handed_over_at, s.collected_at,
    s.without_handover, s.closed, s.tracking_number, s.operator_id, s.charge_dong, s.cancel_case, s.unknown_code,
    s.heard_at, s.created_at, s.updated_at
FROM shipment s
WHERE s.source_id = $1 AND (s.created_at, s.id) > ($2, $3) AND s.created_at >= $4 AND s.created_at < $5
    AND ($6 = '' OR s.state = $6)
    AND ($7 < 0 OR ($7 = 0 AND s.held IS NULL) OR ($7 = 1 AND s.held IS NOT NULL))
    AND ($8 = '' OR s.id IN (SELECT i.shipment_id FROM shipment_item i JOIN dossier d ON d.id = i.dossier_id
        WHERE d.source_id = $1 AND d.code = $8))
ORDER BY s.created_at, s.id LIMIT $9
