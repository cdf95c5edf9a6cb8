-- inbox_end
UPDATE inbox SET state = $2, read_at = $3 WHERE id = $1 AND state = 'unread'
