-- operator_state_units_loaded
SELECT units_loaded_at FROM operator_state WHERE account_id = $1
