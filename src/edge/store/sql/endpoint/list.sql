-- endpoint_list
SELECT id, source_id, url, secret_sealed, active, private_allowed FROM endpoint WHERE source_id = $1 ORDER BY created_at, id LIMIT 100
