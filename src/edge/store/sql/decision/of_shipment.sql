-- decision_of_shipment
SELECT id, shipment_id, kind, outcome, overrides, facts_seen, occurred_at, record_id, proposed_by, proposed_at, needs_second,
    approved_by, approved_at, state
FROM decision WHERE shipment_id = $1 ORDER BY proposed_at, id LIMIT 200
