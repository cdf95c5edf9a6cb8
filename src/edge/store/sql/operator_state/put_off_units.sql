-- operator_state_put_off_units
UPDATE operator_state SET units_lease_until_at = $2 WHERE account_id = $1
