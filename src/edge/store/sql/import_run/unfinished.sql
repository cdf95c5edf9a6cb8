-- import_run_unfinished
SELECT id, file_digest, record_id, state, rows_total, rows_refused, rows_applied FROM import_run
WHERE source_id = $1 AND state IN ('staging', 'applying') ORDER BY started_at, id LIMIT 100
