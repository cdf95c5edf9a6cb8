-- operator_account_upsert
INSERT INTO operator_account (id, code, adapter, base_url, settings, capabilities, secret_sealed, callback_secret_hash,
    rate_per_minute, rate_burst, active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (code) DO UPDATE SET base_url = excluded.base_url, settings = excluded.settings, capabilities = excluded.capabilities,
    secret_sealed = excluded.secret_sealed, callback_secret_hash = excluded.callback_secret_hash,
    rate_per_minute = excluded.rate_per_minute, rate_burst = excluded.rate_burst, active = excluded.active
