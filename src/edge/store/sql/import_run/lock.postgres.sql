-- import_run_lock
-- Two processes that resume one run switch in its rows one after the other.
SELECT id, file_digest, record_id, state, rows_total, rows_refused, rows_applied FROM import_run WHERE id = $1 FOR UPDATE
