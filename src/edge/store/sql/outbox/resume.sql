-- outbox_resume
-- A receiver that was paused starts afresh: its pause is no age, and what waited for a later try need not. Only a wait that
-- the receiver itself asked for is kept.
UPDATE outbox SET attempts = 0, first_at = NULL,
    due_at = CASE WHEN last_detail = 'throttled' OR due_at < $2 THEN due_at ELSE $2 END
WHERE endpoint_id = $1 AND state = 'waiting' AND attempts > 0
