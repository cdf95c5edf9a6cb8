-- endpoint_find
SELECT id, source_id, url, secret_sealed, active, private_allowed FROM endpoint WHERE id = $1
