-- operator_state_set_units_loaded
UPDATE operator_state SET units_loaded_at = $2, units_lease_until_at = NULL WHERE account_id = $1
