-- attempt_finish
-- Once only.
UPDATE attempt SET ended_at = $2, outcome = $3, detail = $4 WHERE id = $1 AND ended_at IS NULL
