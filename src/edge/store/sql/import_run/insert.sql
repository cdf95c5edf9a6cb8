-- import_run_insert
INSERT INTO import_run (id, source_id, file_digest, record_id, state, rows_total, rows_refused, rows_applied, started_at)
VALUES ($1, $2, $3, $4, 'staging', 0, 0, 0, $5)
