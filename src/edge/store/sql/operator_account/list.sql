-- operator_account_list
SELECT id, code, adapter, base_url, settings, capabilities, secret_sealed, callback_secret_hash, rate_per_minute, rate_burst, active
FROM operator_account ORDER BY code LIMIT 1000
