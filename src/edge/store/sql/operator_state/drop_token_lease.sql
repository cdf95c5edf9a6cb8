-- operator_state_drop_token_lease
UPDATE operator_state SET token_lease_until_at = NULL WHERE account_id = $1
