-- operator_state_set_token
UPDATE operator_state SET token_sealed = $2, token_expires_at = $3, token_version = token_version + 1,
    token_lease_until_at = NULL WHERE account_id = $1
