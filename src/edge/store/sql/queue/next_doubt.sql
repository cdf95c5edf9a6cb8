-- queue_next_doubt
SELECT MIN(due_at) AS next_at FROM queue WHERE account_id = $1 AND state = 'doubt'
