-- operator_state_insert
INSERT INTO operator_state (account_id, budget_at, breaker, failures, window_started_at, window_calls, window_failures, paused_ms,
    token_version)
VALUES ($1, 0, 'closed', 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING
