-- poll_next_due
-- A row that somebody is asking for right now counts from the end of its lease.
SELECT MIN(CASE WHEN lease_until_at > due_at THEN lease_until_at ELSE due_at END) AS next_at FROM poll
WHERE account_id = $1
