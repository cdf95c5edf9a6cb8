-- operator_state_lease_token
-- One refresh at a time over all gateways.
UPDATE operator_state SET token_lease_until_at = $2
WHERE account_id = $1 AND token_version = $3 AND (token_lease_until_at IS NULL OR token_lease_until_at < $4)
