-- import_run_set_state
UPDATE import_run SET state = $2, ended_at = $3 WHERE id = $1 AND state = $4
