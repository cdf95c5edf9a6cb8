-- journal_audit
-- All that stands beside the bytes, to be compared with them; a page at a time in the order of writing.
SELECT id, subject_kind, subject_id, COALESCE(sequence, 0) AS sequence, kind, recorded_at, bytes FROM journal
WHERE recorded_at > $1 OR (recorded_at = $1 AND id > $2)
ORDER BY recorded_at, id LIMIT $3
