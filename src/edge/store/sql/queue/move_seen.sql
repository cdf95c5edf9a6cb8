-- queue_move_seen
-- By a person who saw the row in this state: nothing happens when somebody moved it meanwhile. The raised token makes a
-- look-up under way stale.
UPDATE queue SET state = $4, due_at = $5, attempts = $6, first_at = $7, paused_ms_then = $8, absences = $9, absent_at = $10,
    doubted_at = $11, lease_until_at = NULL, lease_token = lease_token + 1
WHERE shipment_id = $1 AND lease_token = $2 AND state = $3
