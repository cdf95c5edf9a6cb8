-- import_run_lock
-- One writer only: nobody else can move it.
SELECT id, file_digest, record_id, state, rows_total, rows_refused, rows_applied FROM import_run WHERE id = $1
