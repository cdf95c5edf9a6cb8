-- queue_insert
INSERT INTO queue (shipment_id, account_id, state, due_at, attempts, paused_ms_then, lease_token, absences)
VALUES ($1, $2, $3, $4, 0, 0, 0, 0)
