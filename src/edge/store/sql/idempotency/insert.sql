-- idempotency_insert
-- Who comes second waits for the first and then inserts nothing.
INSERT INTO idempotency (source_id, key, shipment_id, record_id, body_digest, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
