-- tracking_event_insert
INSERT INTO tracking_event (shipment_id, identity, code, occurred_at, resolution, state, reason, map_version, inbox_id,
    received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT DO NOTHING
