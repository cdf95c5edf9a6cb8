-- outbox_redrive
-- Due at once, but never before the time the receiver asked for.
UPDATE outbox SET state = 'waiting', attempts = 0, first_at = NULL, ended_at = NULL,
    due_at = CASE WHEN due_at > $2 THEN due_at ELSE $2 END
WHERE id = $1 AND state = 'dead'
