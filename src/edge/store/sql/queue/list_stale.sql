-- queue_list_stale
-- Leases whose holder died: the attempt under them is in doubt.
SELECT shipment_id, account_id, state, due_at, attempts, first_at, paused_ms_then, lease_token, lease_until_at, absences, absent_at, doubted_at
FROM queue WHERE account_id = $1 AND state = 'leased' AND lease_until_at < $2 ORDER BY lease_until_at LIMIT $3
