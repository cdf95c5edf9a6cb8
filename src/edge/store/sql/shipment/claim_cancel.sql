-- shipment_claim_cancel
-- The time of the next call is the lease: a cancel asked for twice is refused or repeated, never harmful.
UPDATE shipment SET cancel_due_at = $3
WHERE id IN (SELECT id FROM shipment WHERE account_id = $1 AND state = 'cancel_requested'
    AND (cancel_due_at IS NULL OR cancel_due_at <= $2) ORDER BY id LIMIT $4)
RETURNING id
