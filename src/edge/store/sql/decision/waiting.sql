-- decision_waiting
-- $1 office or null, $2 limit.
SELECT d.id, d.shipment_id, d.kind, d.outcome, d.overrides, d.facts_seen, d.occurred_at, d.record_id, d.proposed_by,
    d.proposed_at, d.needs_second, d.approved_by, d.approved_at, d.state
FROM decision d JOIN shipment s ON s.id = d.shipment_id
WHERE d.state = 'proposed' AND (CAST($1 AS BYTEA) IS NULL OR s.sending_office_id = $1 OR s.return_office_id = $1)
ORDER BY d.proposed_at, d.id LIMIT $2
