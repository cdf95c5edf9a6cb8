-- queue_count_ready
SELECT COUNT(*) AS rows FROM (SELECT 1 FROM queue WHERE account_id = $1 AND state = 'ready' AND due_at <= $2 LIMIT $3) due
