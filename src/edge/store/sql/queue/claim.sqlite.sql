-- queue_claim
-- Oldest promise first. SQLite has one writer: nobody else can be claiming.
UPDATE queue SET state = 'leased', lease_token = lease_token + 1, lease_until_at = $3
WHERE shipment_id IN (
    SELECT shipment_id FROM queue WHERE account_id = $1 AND state = 'ready' AND due_at <= $2
    ORDER BY due_at, shipment_id LIMIT $4)
RETURNING shipment_id, account_id, state, due_at, attempts, first_at, paused_ms_then, lease_token, lease_until_at, absences, absent_at, doubted_at
