-- poll_next_due
SELECT MIN(due_at) AS next_at FROM poll WHERE account_id = $1
