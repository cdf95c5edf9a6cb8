-- endpoint_insert
INSERT INTO endpoint (id, source_id, url, secret_sealed, active, private_allowed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
