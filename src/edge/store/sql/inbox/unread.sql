-- inbox_unread
SELECT id FROM inbox WHERE state = 'unread' ORDER BY received_at, id LIMIT $1
