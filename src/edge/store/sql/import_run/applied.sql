-- import_run_applied
UPDATE import_run SET rows_applied = rows_applied + $2 WHERE id = $1
