-- operator_state_set_heard
UPDATE operator_state SET heard_at = $2 WHERE account_id = $1
