-- queue_find
SELECT shipment_id, account_id, state, due_at, attempts, first_at, paused_ms_then, lease_token, lease_until_at, absences, absent_at, doubted_at
FROM queue WHERE shipment_id = $1
