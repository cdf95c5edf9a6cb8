-- poll_claim
UPDATE poll SET lease_token = lease_token + 1, lease_until_at = $3, hinted = 0
WHERE shipment_id IN (
    SELECT shipment_id FROM poll WHERE account_id = $1 AND due_at <= $2 AND (lease_until_at IS NULL OR lease_until_at < $2)
    ORDER BY due_at, shipment_id LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING shipment_id, account_id, due_at, hinted, lease_token, lease_until_at, fruitless, seen_digest
