-- queue_counts
SELECT account_id, state, COUNT(*) AS rows, MIN(due_at) AS oldest FROM queue GROUP BY account_id, state
