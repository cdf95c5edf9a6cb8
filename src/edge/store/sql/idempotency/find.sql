-- idempotency_find
SELECT shipment_id, record_id, body_digest FROM idempotency WHERE source_id = $1 AND key = $2
