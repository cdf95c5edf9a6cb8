-- import_run_count
-- Only forward, and only while it runs: a second process on the same file changes nothing twice.
UPDATE import_run SET rows_total = $2, rows_refused = $3 WHERE id = $1 AND state = 'staging' AND rows_total = $4
