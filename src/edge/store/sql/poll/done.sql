-- poll_done
-- A hint that came meanwhile sets its own time.
UPDATE poll SET lease_until_at = NULL, fruitless = $4, seen_digest = COALESCE($5, seen_digest),
    due_at = CASE WHEN hinted = 1 THEN CAST($6 AS BIGINT) ELSE CAST($3 AS BIGINT) END
WHERE shipment_id = $1 AND lease_token = $2
