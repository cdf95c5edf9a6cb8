-- operator_account_find
SELECT id, code, adapter, base_url, settings, capabilities, secret_sealed, callback_secret_hash, rate_per_minute, rate_burst, active
FROM operator_account WHERE id = $1
