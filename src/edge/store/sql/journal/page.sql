-- journal_page
-- In the order of writing, by key set: a page at a time, so that a long journal fits in memory.
SELECT id, bytes, recorded_at FROM journal
WHERE recorded_at > $1 OR (recorded_at = $1 AND id > $2)
ORDER BY recorded_at, id LIMIT $3
