-- operator_state_set_breaker
UPDATE operator_state SET breaker = $2, breaker_until_at = $3, breaker_opened_at = $4, breaker_probe_at = $5, failures = $6,
    paused_ms = $7 WHERE account_id = $1
