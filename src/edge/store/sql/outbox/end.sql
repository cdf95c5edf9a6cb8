-- outbox_end
-- Under the lease only: a stale sender changes nothing.
UPDATE outbox SET state = $3, due_at = $4, first_at = $5, last_detail = COALESCE($6, last_detail), ended_at = $7,
    lease_until_at = NULL
WHERE id = $1 AND lease_token = $2 AND state = 'leased'
