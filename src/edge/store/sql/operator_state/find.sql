-- operator_state_find
SELECT account_id, budget_at, breaker, breaker_until_at, breaker_opened_at, breaker_probe_at, failures, paused_ms, heard_at, token_sealed,
    token_expires_at, token_version, token_lease_until_at, units_loaded_at, units_lease_until_at
FROM operator_state WHERE account_id = $1
