-- decision_waiting
SELECT id, shipment_id, kind, outcome, overrides, facts_seen, occurred_at, record_id, proposed_by, proposed_at, needs_second,
    approved_by, approved_at, state
FROM decision WHERE state = 'proposed' ORDER BY proposed_at, id LIMIT $1
