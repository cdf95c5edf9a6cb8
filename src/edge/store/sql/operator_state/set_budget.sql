-- operator_state_set_budget
UPDATE operator_state SET budget_at = $2 WHERE account_id = $1
