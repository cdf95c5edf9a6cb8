-- poll_done
-- A hint that came meanwhile keeps its own, earlier time.
UPDATE poll SET lease_until_at = NULL, fruitless = $4, seen_digest = COALESCE($5, seen_digest),
    due_at = CASE WHEN hinted = 1 THEN due_at ELSE $3 END
WHERE shipment_id = $1 AND lease_token = $2
