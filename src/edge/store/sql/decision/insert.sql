-- decision_insert
INSERT INTO decision (id, shipment_id, kind, outcome, overrides, facts_seen, occurred_at, record_id, proposed_by, proposed_at,
    needs_second, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
