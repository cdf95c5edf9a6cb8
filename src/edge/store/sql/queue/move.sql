-- queue_move
-- Under the lease only: a stale worker changes nothing.
UPDATE queue SET state = $3, due_at = $4, attempts = $5, first_at = $6, paused_ms_then = $7, absences = $8, absent_at = $9,
    doubted_at = $10, lease_until_at = NULL
WHERE shipment_id = $1 AND lease_token = $2 AND state = 'leased'
