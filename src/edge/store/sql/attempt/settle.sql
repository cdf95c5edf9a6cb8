-- attempt_settle
UPDATE attempt SET settled = $2, settled_at = $3 WHERE id = $1 AND settled IS NULL
